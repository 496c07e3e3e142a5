export function Logo() {
  return (
    <svg aria-hidden="true" width="26" height="26" viewBox="0 0 32 32">
      <rect width="32" height="32" rx="8" fill="#0f5f63" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M7 11h11" />
        <path d="M7 16.5h7" opacity=".65" />
        <path d="M7 22h14" />
      </g>
      <circle cx="23.5" cy="11" r="2.6" fill="#7fe0d6" />
    </svg>
  );
}
