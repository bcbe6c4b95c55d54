import { b } from "./b.js"
import './effect.js';
export * from './reexport.js'
import lib from "lib"
const pic = new URL("../img/logo.png", import.meta.url)
const worker = new Worker(new URL('./worker.js', import.meta.url), {type: "module"})
const other = new URL("../img/inscript.png", location.href) // another base: kept
const text = `img/${pic}/inscript.png`
const re = /["'`\/]import("x")/g, half = text.length / 2 / 1
load(import(`./late.js`), import("./part/" + text))
fetch("data.json")
export const a = 1, run = () => b
