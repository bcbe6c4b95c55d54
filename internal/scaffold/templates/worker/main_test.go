package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestEvery lets an hour pass in a clock of its own.
func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Second)
		defer cancel()
		n := 0
		if err := every(ctx, time.Minute, func(context.Context) { n++ }); err != nil {
			t.Error(err)
		}
		if n != 61 {
			t.Errorf("%d rounds in an hour, want one at its start and 60 more", n)
		}
	})
}
