package main

import (
	"strconv"
	"strings"
)

// environ is a process environment: "NAME=value" entries, the last of a name counting.
type environ []string

// get is the value of a variable, empty when it is not set.
func (e environ) get(name string) string {
	for i := len(e) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(e[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// number is the value of a variable that is a positive number, else one.
func (e environ) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(e.get(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}
