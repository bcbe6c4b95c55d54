// Package e2e proves the main road on real hosts: its tests build kinectl,
// start a lab, and look at the hosts themselves. They need root on Linux.
// Start at main_test.go.
package e2e
