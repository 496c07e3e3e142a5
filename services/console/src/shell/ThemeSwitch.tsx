import { Monitor, Moon, Sun } from 'lucide-react';
import { chooseTheme, type Theme, useTheme } from '../theme/theme.ts';
import { announce, IconButton } from '../ui/index.ts';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const LOOK = {
  system: { words: 'as the device', Icon: Monitor },
  light: { words: 'light', Icon: Sun },
  dark: { words: 'dark', Icon: Moon },
} as const;

/** One button through three choices; its name says what is chosen now. */
export function ThemeSwitch() {
  const theme = useTheme();
  const { words, Icon } = LOOK[theme];
  return (
    <IconButton
      label={`Colours: ${words}`}
      icon={<Icon />}
      onPress={() => {
        chooseTheme(NEXT[theme]);
        announce(`Colours: ${LOOK[NEXT[theme]].words}`, 'theme');
      }}
    />
  );
}
