package assets

import (
	"bytes"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
	served "github.com/kinectl/kinectl/service/site"
)

// TestRealDecoders has gzip and zstd check every compressed file, and holds what they
// unpack to the file beside it. Brotli has its turn in TestCurl.
func TestRealDecoders(t *testing.T) {
	needs.Program(t, "gzip", "what it would say was not tested")
	needs.Program(t, "zstd", "what it would say was not tested")
	dst, _ := build(t, write(t, map[string]string{
		"index.html": strings.Repeat("<p>a page of no great interest</p>\n", 3000),
		"words.txt":  text(200_000),
		"empty.txt":  "",
		"random.bin": string(noise(4096)), // does not shrink
		"small.txt":  "abc",
	}), Options{})
	files := read(t, dst)
	f := func(name string, tests ...[]string) {
		t.Helper()
		for _, argv := range tests {
			out, err := exec.Command(argv[0], append(argv[1:], filepath.Join(dst, name))...).Output()
			if err != nil {
				t.Errorf("%v %s: %v", argv, name, err)
			}
			if plain := files[strings.TrimSuffix(name, filepath.Ext(name))]; argv[1] == "-dc" && !bytes.Equal(out, plain) {
				t.Errorf("%v %s: not what was compressed", argv, name)
			}
		}
		if got, most := len(files[name]), len(files[strings.TrimSuffix(name, filepath.Ext(name))])*19/20; got > most {
			t.Errorf("%s: %d bytes, more than %d", name, got, most)
		}
	}
	n := 0
	for name := range files {
		switch filepath.Ext(name) {
		case ".gz":
			f(name, []string{"gzip", "-t"}, []string{"gzip", "-dc"})
			n++
		case ".zst":
			f(name, []string{"zstd", "-qt", "--memory=8MB"}, []string{"zstd", "-dc"}) // a browser takes a window of 8 MB
			n++
		case ".br":
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d compressed files, want those of index.html and words.txt", n)
	}
}

// TestWindow has zstd read a file that is larger than the window which a browser must
// take, with the memory for just that.
func TestWindow(t *testing.T) {
	needs.Program(t, "zstd", "what it would say was not tested")
	dir := t.TempDir()
	plain := []byte(text(9 << 20))
	encode, err := formats()[1].encoder()
	if err != nil {
		t.Fatal(err)
	}
	body, err := encode(plain)
	if err != nil {
		t.Fatal(err)
	}
	ours, wide := filepath.Join(dir, "ours.zst"), filepath.Join(dir, "wide")
	for path, body := range map[string][]byte{ours: body, wide: plain} {
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("zstd", "-qt", "--memory=8MB", ours).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	// The control: a larger window is refused.
	if out, err := exec.Command("zstd", "-q", "-1", "--long=27", wide).CombinedOutput(); err != nil {
		t.Fatalf("zstd: %v: %s", err, out)
	}
	if err := exec.Command("zstd", "-qt", "--memory=8MB", wide+".zst").Run(); err == nil {
		t.Error("zstd takes any window: the test proves nothing")
	}
}

// TestHistory compresses a file before and after others: the bytes must not
// depend on what a worker had before.
func TestHistory(t *testing.T) {
	for _, f := range formats() {
		encode, err := f.encoder()
		if err != nil {
			t.Fatal(err)
		}
		var first []byte
		for i, body := range []string{text(30_000), string(noise(70_000)), "", text(300_000), text(30_000)} {
			got, err := encode([]byte(body))
			if err != nil || !f.holds(got, []byte(body)) {
				t.Errorf("%s of file %d: %v", f.ending, i, err)
			}
			if i == 0 {
				first = got
			}
			if i == 4 && !bytes.Equal(got, first) {
				t.Errorf("%s: other bytes after other files", f.ending)
			}
			if f.holds(got, []byte(body+"x")) || len(body) > 1 && f.holds(got, []byte(body[1:])) {
				t.Errorf("%s of file %d holds anything", f.ending, i)
			}
		}
	}
}

// TestCurl prepares the golden site, serves it with service/site, and fetches each page in
// each form with curl, whose own decoders then give the same bytes.
func TestCurl(t *testing.T) {
	needs.Program(t, "curl", "what it would say was not tested")
	dst, r := build(t, "testdata/site", Options{})
	handler, err := served.New(os.DirFS(dst))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	files := read(t, dst)
	curl := func(argv ...string) (string, string) {
		t.Helper()
		header := filepath.Join(t.TempDir(), "header")
		out, err := exec.Command("curl", append([]string{"-sS", "--path-as-is", "-D", header}, argv...)...).Output()
		if err != nil {
			t.Fatalf("curl %q: %v", argv, err)
		}
		lines, err := os.ReadFile(header)
		if err != nil {
			t.Fatal(err)
		}
		return string(out), strings.ReplaceAll(string(lines), "\r", "")
	}
	url := func(name string) string {
		name = strings.ReplaceAll(name, " ", "%20")
		return server.URL + "/" + strings.TrimSuffix(name, "index.html")
	}
	seen := map[string]int{}
	for _, f := range r.Files {
		for coding, ending := range map[string]string{"gzip": "gz", "zstd": "zst", "br": "br"} {
			body, header := curl("--compressed", "-H", "Accept-Encoding: "+coding, url(f.Path))
			if body != string(files[f.Path]) {
				t.Errorf("%s as %s: %q", f.Path, coding, body)
			}
			_, there := f.Compressed[ending]
			if coded := strings.Contains(header, "\nContent-Encoding: "+coding+"\n"); coded != there {
				t.Errorf("%s as %s: %s", f.Path, coding, header)
			} else if coded {
				seen[coding]++
			}
			forever := strings.Contains(header, "\nCache-Control: public, max-age=31536000, immutable\n")
			if forever != (f.Path != f.Source) {
				t.Errorf("%s: %s", f.Path, header)
			}
		}
		if f.Path != f.Source { // the name before is still known
			if body, header := curl(url(f.Source)); body != string(files[f.Path]) || !strings.Contains(header, "\nCache-Control: no-cache\n") {
				t.Errorf("%s: %s %q", f.Source, header, body)
			}
		}
	}
	for _, coding := range []string{"gzip", "zstd", "br"} {
		if seen[coding] < 3 {
			t.Errorf("%d files came as %s", seen[coding], coding)
		}
	}
	tag := filepath.Join(t.TempDir(), "tag")
	curl("--etag-save", tag, "-H", "Accept-Encoding: br", url("index.html"))
	if body, header := curl("--etag-compare", tag, "-H", "Accept-Encoding: br", url("index.html")); body != "" || !strings.HasPrefix(header, "HTTP/1.1 304 ") {
		t.Errorf("again: %s %q", header, body)
	}
	half := filepath.Join(t.TempDir(), "half")
	if err := os.WriteFile(half, files["index.html"][:100], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, header := curl("-C", "-", "-o", half, url("index.html")); !strings.Contains(header, "206 Partial Content") {
		t.Errorf("continued: %s", header)
	}
	if got, _ := os.ReadFile(half); !bytes.Equal(got, files["index.html"]) {
		t.Errorf("continued: %d bytes", len(got))
	}
}

// text is words in an order that always comes out the same.
func text(size int) string {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("a site is served by one program that holds its pages and knows their tags before anybody asks")
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[random.IntN(len(words))] + " ")
	}
	return b.String()[:size]
}

func noise(size int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}
