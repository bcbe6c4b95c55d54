export const run = console.log
