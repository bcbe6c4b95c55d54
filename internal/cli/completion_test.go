package cli

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestSoon: who has pressed Tab waits no longer, whatever does not answer.
func TestSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		late := func(context.Context) []string { time.Sleep(time.Minute); return []string{"h1"} }
		if words := soon(t.Context(), late); words != nil || time.Since(start) != completionTime {
			t.Errorf("%q after %s", words, time.Since(start))
		}
		time.Sleep(time.Minute) // the late one ends by itself
		quick := func(context.Context) []string { time.Sleep(completionTime / 2); return []string{"h1"} }
		if words := soon(t.Context(), quick); len(words) != 1 {
			t.Errorf("%q", words)
		}
	})
}
