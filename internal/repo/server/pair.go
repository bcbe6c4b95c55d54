package server

import (
	"container/list"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// dnf reads repomd.xml and then, in a request of its own, repomd.xml.asc. What
// is published in between gives it the signature of another file, and it
// refuses the repository. So the directory also holds every pair under the
// digest of its repomd.xml, and a client gets the signature of the repomd.xml
// that it was given.

const (
	rootName      = "repomd.xml"
	signatureName = "repomd.xml.asc"
)

// pairOf returns the folder of a yum root or its signature: yum/SUITE/ARCH/repodata/.
func pairOf(name string) (repodata string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 5 || parts[0] != "yum" || parts[3] != "repodata" || parts[4] != rootName && parts[4] != signatureName {
		return "", false
	}
	return strings.TrimSuffix(name, parts[4]), true
}

// servePair answers for a repomd.xml or its signature.
func (f *Files) servePair(w http.ResponseWriter, r *http.Request, repodata, name string) {
	who := client(r) + " " + repodata
	body, sum, info, err := f.read(repodata + rootName)
	if err != nil {
		fileError(w, err)
		return
	}
	if name == repodata+rootName {
		f.given.remember(who, sum)
		serveBytes(w, r, info.ModTime(), sum, body)
		return
	}
	candidates := []string{repodata + sum + "-" + signatureName, name} // the plain one where nobody keeps the others
	if before := f.given.digest(who); before != "" && before != sum {
		candidates = append([]string{repodata + before + "-" + signatureName}, candidates...)
	}
	for _, candidate := range candidates {
		if body, sum, _, err = f.read(candidate); err == nil {
			// No Last-Modified: it counts seconds, and two publications may share one.
			serveBytes(w, r, time.Time{}, sum, body)
			return
		}
	}
	fileError(w, err)
}

// client is who asks: the address and, behind a proxy, what that says of its
// own client. To lie there gains nothing but the wrong signature.
func client(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	forwarded := r.Header.Get("X-Forwarded-For")
	return host + " " + forwarded[:min(len(forwarded), 100)]
}

// given remembers, for a while, which repomd.xml each client was given. It may
// be used by many at the same time.
type given struct {
	ttl  time.Duration
	most int
	now  func() time.Time

	mu    sync.Mutex
	byWho map[string]*list.Element
	order *list.List // of gift, the oldest first
}

type gift struct {
	who, digest string
	when        time.Time
}

func newGiven(ttl time.Duration, most int) *given {
	return &given{ttl: ttl, most: most, now: time.Now, byWho: map[string]*list.Element{}, order: list.New()}
}

// remember replaces what is known of who, and forgets the oldest clients when
// there are too many.
func (g *given) remember(who, digest string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := g.byWho[who]; old != nil {
		g.order.Remove(old)
	}
	g.byWho[who] = g.order.PushBack(gift{who, digest, g.now()})
	for oldest := g.order.Front(); g.order.Len() > g.most || g.expired(oldest); oldest = g.order.Front() {
		delete(g.byWho, g.order.Remove(oldest).(gift).who)
	}
}

// digest is that of the repomd.xml that who was given last; empty when that
// was long ago, or never.
func (g *given) digest(who string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.byWho[who]; e != nil && !g.expired(e) {
		return e.Value.(gift).digest
	}
	return ""
}

func (g *given) expired(e *list.Element) bool { return g.now().Sub(e.Value.(gift).when) > g.ttl }
