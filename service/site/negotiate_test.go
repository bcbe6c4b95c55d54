package site

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestNegotiate holds the choice to RFC 9110, section 12.5.3. The forms of the
// page are br, zstd, gzip and the page itself, the smallest first.
func TestNegotiate(t *testing.T) {
	h := handler(t, pages())
	f := func(accept, want string) {
		t.Helper()
		w := ask(h, "GET", "/", "Accept-Encoding: "+accept)
		got := w.Header().Get("Content-Encoding")
		if w.Code != 200 {
			got = fmt.Sprint(w.Code)
		}
		if got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding: %s: got %q, want %q; Vary %q", accept, got, want, w.Header().Get("Vary"))
		}
	}
	const plain = ""
	// What clients send.
	f("gzip, deflate, br, zstd", "br")
	f("gzip, deflate, br", "br")
	f("gzip, deflate", "gzip")
	f("zstd", "zstd")
	f("gzip, zstd", "zstd")
	f("deflate, compress", plain)
	f("identity", plain)
	// An empty value: no coding at all.
	f("", plain)
	f(" , ,", plain)
	// Weights.
	f("br;q=0.5, gzip;q=0.8", "gzip")
	f("br;q=0.5, gzip;q=0.8, identity", plain)
	f("gzip;q=1.0, identity; q=0.5, *;q=0", "gzip")
	f("br;q=0, gzip", "gzip")
	f("gzip;q=0.001", "gzip")
	f("gzip;q=0.001, identity;q=0.002", plain)
	f("gzip;q=0", plain)
	f("br;q=0.9, zstd;q=0.9", "br")
	f("gzip ; q=0.3 , zstd ;Q=0.4", "zstd")
	// * is every coding that is not named, the file as it is too.
	f("*", "br")
	f("*;q=0.5, br;q=0", "zstd")
	f("*;q=0.5, br;q=0.1, zstd;q=0.1", "gzip")
	f("identity, *;q=0.5", plain)
	f("*;q=0, gzip;q=0.1", "gzip")
	f("*;q=0, identity;q=0.1", plain)
	// Nothing that there is.
	f("*;q=0", "406")
	f("identity;q=0", "406")
	f("identity;q=0, deflate", "406")
	f("identity;q=0, *;q=0.5", "br")
	// Names have no case; x-gzip is gzip.
	f("GZip", "gzip")
	f("x-gzip", "gzip")
	// What is no weight counts as none.
	for _, q := range []string{"abc", "", "2", "-1", "1.5000", "0.1234", "00.5", "0,5"} {
		f("gzip;q="+q, plain)
	}
	f("gzip;q=1.000", "gzip")
	f("gzip;q=1.", "gzip")
	f("gzip;level=9", "gzip")

	if w := ask(h, "GET", "/"); w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("without the header: %v", w.Header())
	}
	if w := ask(h, "GET", "/", "Accept-Encoding: gzip;q=0.5", "Accept-Encoding: zstd"); w.Header().Get("Content-Encoding") != "zstd" {
		t.Errorf("in two lines: %v", w.Header())
	}
	// A form that is longer than the file is of no use.
	if w := ask(h, "GET", "/docs/page.html", "Accept-Encoding: gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a longer form was sent")
	}
}

// TestForms holds tags, lengths, 304 and ranges of each form against each
// other.
func TestForms(t *testing.T) {
	h := handler(t, pages())
	tags := map[string]string{}
	for coding, body := range map[string]string{"identity": "<!doctype html><title>Home</title>" + strings.Repeat(" ", 90), "gzip": "gzip of index, longest", "zstd": "zstd of index, mid", "br": "br of index"} {
		encoding := "Accept-Encoding: " + coding
		for _, method := range []string{"GET", "HEAD"} {
			w := ask(h, method, "/", encoding)
			want := map[string]string{"GET": body}[method]
			if w.Body.String() != want || w.Header().Get("Content-Length") != fmt.Sprint(len(body)) || w.Header().Get("Accept-Ranges") != "bytes" {
				t.Errorf("%s %s: %q %v", method, coding, w.Body, w.Header())
			}
		}
		tag := ask(h, "GET", "/", encoding).Header().Get("Etag")
		if before := tags[tag]; before != "" || !strings.HasPrefix(tag, `"`) {
			t.Errorf("%s has the tag %s of %q", coding, tag, before)
		}
		tags[tag] = coding

		f := func(code int, body, contentRange string, headers ...string) {
			t.Helper()
			w := ask(h, "GET", "/", append(headers, encoding)...)
			length := w.Header().Get("Content-Length")
			if w.Code != code || w.Body.String() != body || w.Header().Get("Content-Range") != contentRange || length != "" && length != fmt.Sprint(len(body)) {
				t.Errorf("%s %q: %d %q %v", coding, headers, w.Code, w.Body, w.Header())
			}
			if code != http.StatusRequestedRangeNotSatisfiable && w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s %q: no Vary", coding, headers)
			}
		}
		f(304, "", "", "If-None-Match: "+tag)
		f(304, "", "", `If-None-Match: "other", W/`+tag)
		f(304, "", "", "If-None-Match: *")
		f(200, body, "", `If-None-Match: "other"`)
		f(200, body, "", "If-Match: "+tag)
		f(412, "", "", `If-Match: "other"`)
		size := fmt.Sprint(len(body))
		f(206, body[2:5], "bytes 2-4/"+size, "Range: bytes=2-4")
		f(206, body[len(body)-3:], fmt.Sprintf("bytes %d-%d/%s", len(body)-3, len(body)-1, size), "Range: bytes=-3")
		f(206, body[2:5], "bytes 2-4/"+size, "Range: bytes=2-4", "If-Range: "+tag)
		f(200, body, "", "Range: bytes=2-4", `If-Range: "other"`)
		f(416, "invalid range: failed to overlap\n", "bytes */"+size, "Range: bytes=500-")
	}
	// Who holds one form and asks for another has to get it whole.
	br := ask(h, "GET", "/", "Accept-Encoding: br").Header().Get("Etag")
	if w := ask(h, "GET", "/", "Accept-Encoding: gzip", "If-None-Match: "+br); w.Code != 200 {
		t.Errorf("gzip for the tag of br: %d", w.Code)
	}
	if w := ask(h, "GET", "/", "Accept-Encoding: gzip", "If-Range: "+br, "Range: bytes=3-5"); w.Code != 200 {
		t.Errorf("a part of gzip for the tag of br: %d", w.Code)
	}
	if w := ask(h, "GET", "/", "Accept-Encoding: br", "If-None-Match: "+br); w.Header().Get("Content-Encoding") != "" || w.Header().Get("Content-Length") != "" || w.Header().Get("Etag") != br {
		t.Errorf("304: %v", w.Header())
	}
}
