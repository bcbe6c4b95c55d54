// Package house holds the rules of this code base that a machine can check,
// as tests. Start at house_test.go; there is nothing to import.
package house
