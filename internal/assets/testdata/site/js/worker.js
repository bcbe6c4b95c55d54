import "./effect.js"; postMessage(1)
