interface Changeable {
  readonly disabled?: boolean | undefined;
  readonly readonly?: boolean | undefined;
}

/** A schema may say that a part is only read: whatever would change it is disabled. */
export const isFixed = ({ disabled, readonly }: Changeable): boolean => disabled === true || readonly === true;
