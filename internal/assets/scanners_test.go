package assets

import (
	"fmt"
	"strings"
	"testing"
)

// collect runs a scanner and lists what it reports; each reference gets a > before it
// in the text that comes back, with a new name of its own.
func collect(rewrite func(string, *visitor) string, src string) (refs []string, mentions, got string) {
	v := &visitor{
		reference: func(_ int, ref string) string { refs = append(refs, ref); return ">" + ref },
		mention:   func(text string) { mentions += text + "\n" },
		integrity: func(_ int, ref, digests string) string { return ref + "=" + digests },
		base:      func(string) {}, frozen: func(int, string) {},
	}
	return refs, mentions, rewrite(src, v)
}

func TestCSS(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		if _, _, got := collect(rewriteCSS, src); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", src, got, want)
		}
	}
	f(`a{background:url(x.png)}`, `a{background:url(>x.png)}`)
	f(`a{background:url( x.png )}`, `a{background:url( >x.png )}`)
	f("a{background:url(\n\"x y.png\"\t)}", "a{background:url(\n\">x y.png\"\t)}")
	f(`a{background:URL('it\'s.png')}`, `a{background:URL('>it\'s.png')}`)
	f(`url(a\)b.png)`, `url(>a\)b.png)`)
	f(`url(a\20 b.png)`, `url(>a\ b.png)`)
	f(`url(\000061.png)x`, `url(>a.png)x`)
	f(`url(a b.png) url(c.png)`, `url(a b.png) url(>c.png)`)
	f(`url(a"b) url(c.png)`, `url(a"b) url(>c.png)`)
	f(`url(a(b) url(c.png)`, `url(a(b) url(>c.png)`)
	f(`url()`, `url(>)`)
	f(`url(x`, `url(x`)
	f(`url("x`, `url("x`)
	f(`my-url(x) xurl(y) url (z)`, `my-url(x) xurl(y) url (z)`)
	f(`@import "a.css" screen; b{content:"c.css"}`, `@import ">a.css" screen; b{content:"c.css"}`)
	f(`@IMPORT/**/'a.css';`, `@IMPORT/**/'>a.css';`)
	f(`@import url(a.css) layer("x");`, `@import url(>a.css) layer("x");`)
	f(`@charset "utf-8"; @important "x"`, `@charset "utf-8"; @important "x"`)
	f(`/* url(a) " */url(b)/*`, `/* url(a) " */url(>b)/*`)
	f(`a{b:"/* url(x)"} url(y)`, `a{b:"/* url(x)"} url(>y)`)
	f("a{b:\"broken\n} url(y)", "a{b:\"broken\n} url(>y)")
	f("a{b:\"goes \\\non url(x)\"} url(y)", "a{b:\"goes \\\non url(x)\"} url(>y)")
	f(`image-set("a.png" type("image/png") 1x, 'b.png' 2x) "c.png"`, `image-set(">a.png" type("image/png") 1x, '>b.png' 2x) "c.png"`)
	f(`-webkit-image-set(url(a.png) 1x)`, `-webkit-image-set(url(>a.png) 1x)`)
	f(`--x:image-set(; a{b:"c.png"}`, `--x:image-set(; a{b:"c.png"}`)
}

func TestEscapes(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		if got := unescapeCSS(src); got != want {
			t.Errorf("%q: %q, want %q", src, got, want)
		}
		for _, quote := range []string{`"`, `'`, ""} {
			if got := unescapeCSS(escapeCSS(want, quote)); got != want {
				t.Errorf("%q in %q came back as %q", want, quote, got)
			}
		}
	}
	f(`a.png`, "a.png")
	f(`\61 b\0000630`, "abc0")
	f(`\(\)\'\"\\`, `()'"\`)
	f("a\\\nb", "ab")
	f(`\é`, "é")
	f(`\0 \110000 \d800 `, "\uFFFD\uFFFD\uFFFD")
	f(`end\`, `end\`)
}

func TestHTML(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		if _, _, got := collect(rewriteHTML, src); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", src, got, want)
		}
	}
	f(`<img src="a.png">`, `<img src="&gt;a.png">`)
	f(`<IMG SRC='a.png'/>`, `<IMG SRC="&gt;a.png"/>`)
	f(`<img alt=x src=a.png>`, `<img alt=x src="&gt;a.png">`)
	f("<img\nsrc = a.png\talt>", "<img\nsrc = \"&gt;a.png\"\talt>")
	f(`<img src="a&amp;b.png" src="second.png">`, `<img src="&gt;a&amp;b.png" src="second.png">`)
	f(`<img title="a>b" src="x">`, `<img title="a>b" src="&gt;x">`)
	f(`<video poster=p.jpg src=v.mp4><source src=w.webm><track src=t.vtt></video>`, `<video poster="&gt;p.jpg" src="&gt;v.mp4"><source src="&gt;w.webm"><track src="&gt;t.vtt"></video>`)
	f(`<audio src=a.mp3><embed src=b><iframe src=c></iframe><input type=image src=d><object data=e>`, `<audio src="&gt;a.mp3"><embed src="&gt;b"><iframe src="&gt;c"></iframe><input type=image src="&gt;d"><object data="&gt;e">`)
	f(`<link rel="shortcut icon" href=a><link rel=canonical href=b><link href=c>`, `<link rel="shortcut icon" href="&gt;a"><link rel=canonical href=b><link href=c>`)
	f(`<a href=a><area href=b><form action=c><q cite=d>`, `<a href=a><area href=b><form action=c><q cite=d>`)
	f(`<svg><image xlink:href=a /><use href="b#c"/><a href=d>`, `<svg><image xlink:href="&gt;a" /><use href="&gt;b#c"/><a href=d>`)
	f(`<p style="background:url('a b')">`, `<p style="background:url(&#39;&gt;a b&#39;)">`)
	f(`<img srcset="a.png, b.png 2x,c.png 3x">`, `<img srcset="&gt;a.png, &gt;b.png 2x,&gt;c.png 3x">`)
	f(`<source srcset=" a.png 100w ,b,c.png 2x">`, `<source srcset=" &gt;a.png 100w ,&gt;b,c.png 2x">`)
	f(`<img srcset="data:image/png;base64,AA== 1x, b (x,y) 2x, c">`, `<img srcset="&gt;data:image/png;base64,AA== 1x, &gt;b (x,y) 2x, &gt;c">`)
	f(`<!-- <img src=a> --><!DOCTYPE html><? <img src=b> ?><img src=c>`, `<!-- <img src=a> --><!DOCTYPE html><? <img src=b> ?><img src="&gt;c">`)
	f(`<style>a{b:url(x)}</style><title><img src=a></title><textarea><img src=b></textarea>`, `<style>a{b:url(>x)}</style><title><img src=a></title><textarea><img src=b></textarea>`)
	f(`<script>import "./a.js"; "</scrip" + "<img src=x>"</script><img src=y>`, `<script>import ">./a.js"; "</scrip" + "<img src=x>"</script><img src="&gt;y">`)
	f(`<script type="text/template"><img src=a></script><script type=MODULE>import "./b.js"</script>`, `<script type="text/template"><img src=a></script><script type=MODULE>import ">./b.js"</script>`)
	f(`<noscript><img src=a></noscript>`, `<noscript><img src="&gt;a"></noscript>`)
	f(`<script src=a.js integrity="sha256-x"></script><link rel=stylesheet href=b integrity=y>`, `<script src="&gt;a.js" integrity="a.js=sha256-x"></script><link rel=stylesheet href="&gt;b" integrity="b=y">`)
	f(`<img src="a.png`, `<img src="a.png`)
	f(`a < b <img src=c`, `a < b <img src=c`)
	f("<img src=\"\x00é.png\">\r\n", "<img src=\"&gt;\x00é.png\">\r\n")
}

func TestScript(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		if _, _, got := collect(rewriteScript, src); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", src, got, want)
		}
	}
	f(`import"./a.js"`, `import">./a.js"`)
	f(`import a, {b as from} from './a.js'`, `import a, {b as from} from '>./a.js'`)
	f(`export{a}from"/a.js";export*from"../b.js"`, `export{a}from">/a.js";export*from">../b.js"`)
	f(`import a from "bare"; import("bare")`, `import a from "bare"; import("bare")`)
	f(`import d from "./d.json" with {type: "json"}`, `import d from ">./d.json" with {type: "json"}`)
	f("import(`./a.js`)", "import(`>./a.js`)")
	f(`import( /* c */ "./a.js" , {})`, `import( /* c */ ">./a.js" , {})`)
	f(`import("./a" + b)`, `import("./a" + b)`)
	f("import(`./a${b}`)", "import(`./a${b}`)")
	f(`loader.import("./a.js"); x.from("./a.js")`, `loader.import("./a.js"); x.from("./a.js")`)
	f(`import(".\/a.js")`, `import(".\/a.js")`)
	f(`new URL("a.png", import.meta.url)`, `new URL(">a.png", import.meta.url)`)
	f(`new URL("a.png", import.meta.url, x); new URL("a.png", base); URL("a.png", import.meta.url)`, `new URL("a.png", import.meta.url, x); new URL("a.png", base); URL("a.png", import.meta.url)`)
	f(`// import "./a.js"
/* import "./b.js" */ import "./c.js"`, `// import "./a.js"
/* import "./b.js" */ import ">./c.js"`)
	// A slash divides, or begins a regular expression.
	f(`x = a / b; y = "/"; import "./c.js"`, `x = a / b; y = "/"; import ">./c.js"`)
	f(`x = /["']/; import "./c.js"`, `x = /["']/; import ">./c.js"`)
	f(`x = (a) / 2; y = '/'; import "./c.js"`, `x = (a) / 2; y = '/'; import ">./c.js"`)
	f(`if (a) /["']/.test(b); import "./c.js"`, `if (a) /["']/.test(b); import ">./c.js"`)
	f(`return /'/g; x[0] / 2 / "'"; import "./c.js"`, `return /'/g; x[0] / 2 / "'"; import ">./c.js"`)
	f(`i++ / 2; j-- / 3; "'"; import "./c.js"`, `i++ / 2; j-- / 3; "'"; import ">./c.js"`)
	f(`a + /"/.source; import "./c.js"`, `a + /"/.source; import ">./c.js"`)
	f(`{} /'[/]'/.test(x); import "./c.js"`, `{} /'[/]'/.test(x); import ">./c.js"`)
	f("`a${ {b: `c${d}`} } / ` / 2; import \"./c.js\"", "`a${ {b: `c${d}`} } / ` / 2; import \">./c.js\"")
	f("`${a}` / 2 / '\"'; import \"./c.js\"", "`${a}` / 2 / '\"'; import \">./c.js\"")
	// What is not understood stays as it is.
	f("'broken\n import \"./c.js\"", "'broken\n import \"./c.js\"")
	f("`open ${ import(\"./c.js\") }", "`open ${ import(\"./c.js\") }")
	f(`/* open import "./c.js"`, `/* open import "./c.js"`)
	f("x = 'goes \\\non'; import './c.js'", "x = 'goes \\\non'; import '>./c.js'")
}

// TestMentions finds what scripts say beside their references.
func TestMentions(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		if _, got, _ := collect(rewriteScript, src); strings.TrimSuffix(got, "\n") != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
	f(`fetch("a.json")`, "a.json")
	f("`a/${b}/c.png`", "a/$\n/c.png")
	f("'broken\n", "'broken\n")
	f(`import "./a.js"`, "")
	f(`/a.png/ // b.png`, "")
}

func TestResolve(t *testing.T) {
	f := func(dir, ref, want string) {
		t.Helper()
		got := "-"
		if file, _, ok := split(ref); ok {
			if name, ok := resolve(dir, file); ok {
				got = name
			}
		}
		if got != want {
			t.Errorf("%s in %s: %s, want %s", ref, dir, got, want)
		}
	}
	f(".", "a.png", "a.png")
	f("css", "a.png", "css/a.png")
	f("css", "./a.png", "css/a.png")
	f("css", "../a.png?x#y", "a.png")
	f("css", "/a.png", "a.png")
	f("css", "../../../a.png", "a.png")
	f(".", " a%20b.png\n", "a b.png")
	f(".", "docs/", "docs/index.html")
	f("docs", "/", "index.html")
	f("docs", "..", "")
	for _, ref := range []string{"", "#a", "?a", "//example.com/a", "https://example.com/a", "data:a", "MAILTO:a", `a\b`, "a%zz", "a\nb"} {
		f(".", ref, "-")
	}
	if got := renamed("../a/b%20c.png?x#y", "b c.1.png"); got != "../a/b%20c.1.png?x#y" {
		t.Error(got)
	}
}

func TestAttributes(t *testing.T) {
	f := func(tag, want string) {
		t.Helper()
		got := ""
		for _, a := range attributes(tag) {
			got += fmt.Sprintf("%s=%s(%s) ", a.name, a.value, tag[a.start:a.end])
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
	f(`<a>`, ``)
	f(`<a b>`, `b=()`)
	f(`<a b=c D='e f' g = "h">`, `b=c(c) d=e f('e f') g=h("h")`)
	f(`<a b=c/>`, `b=c/(c/)`)
	f(`<a/b=c/d>`, `b=c/d(c/d)`)
	f(`<a b="c"d=e>`, `b=c("c") d=e(e)`)
	f(`<a =b=c>`, `=b=c(c)`)
	f(`<a b= >`, `b=()`)
	f(`<a b=c b=d>`, `b=c(c)`)
}
