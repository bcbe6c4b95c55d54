let s = 'a string that its line breaks off
import './effect.js'
