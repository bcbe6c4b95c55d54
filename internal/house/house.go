// Package house holds the rules of this code base that a machine can check,
// as tests. Start at rules_test.go; there is nothing to import.
package house
