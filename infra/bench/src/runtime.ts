/**
 * How everything that is measured is run: Node itself takes the types out of the sources, so what runs is what a build
 * makes of them. The loader of the development commands marks every function with its name, which costs each closure 256
 * bytes and every call that makes one some time: that would be measured as well.
 */
export const EXEC_ARGV: readonly string[] = ['--conditions=toolstream'];
