// Package chaos breaks things at random moments of random releases on real
// hosts, and sees that every host ends on one version that somebody wanted,
// healthy and with nothing left over. It needs root on Linux. Start at
// [TestChaos]; docs/chaos.md says how to run and replay it.
package chaos
