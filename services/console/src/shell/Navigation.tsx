import { Link } from '@tanstack/react-router';
import { LogOut } from 'lucide-react';
import { useIdentity, useSession } from '../session/index.ts';
import { IconButton, Logo } from '../ui/index.ts';
import { ConnectionIndicator } from './ConnectionIndicator.tsx';
import { HelpKeys } from './HelpKeys.tsx';
import styles from './Navigation.module.css';
import { PLACES } from './places.ts';
import { ThemeSwitch } from './ThemeSwitch.tsx';

export function Navigation() {
  const session = useSession();
  const { sub, tenant } = useIdentity();
  return (
    <header className={styles.bar}>
      <Link to="/" className={styles.brand} aria-label="Toolstream: all runs">
        <Logo />
        <span className={styles.name}>Toolstream</span>
      </Link>
      <nav aria-label="Main" className={styles.places}>
        {PLACES.map(({ to, label, Icon }) => (
          <Link
            key={to}
            to={to}
            className={styles.place}
            activeOptions={{ exact: to === '/', includeSearch: false }}
            activeProps={{ 'aria-current': 'page' }}
          >
            <Icon aria-hidden />
            <span>{label}</span>
          </Link>
        ))}
      </nav>
      <div className={styles.side}>
        <ConnectionIndicator />
        <HelpKeys />
        <ThemeSwitch />
        <span className={styles.who} title={`Tenant ${tenant}`}>
          {sub}
          <span className={styles.tenant}>{tenant}</span>
        </span>
        <IconButton label="Sign out" icon={<LogOut />} onPress={() => session.signOut()} />
      </div>
    </header>
  );
}
