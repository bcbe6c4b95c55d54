import { a } from "./app.js"
export const b = () => a
