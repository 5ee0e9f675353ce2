/** What a process of a test gets of this one's environment: where programs are, and where what Node has compiled is kept. */
export const childEnv = (): Record<string, string> => {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? { PATH } : { PATH, NODE_COMPILE_CACHE };
};
