package event

import (
	"strconv"
	"strings"
)

// ActionName names a rule's action as users write it: rule/connection, and
// rule/connection#2 for the second action of the rule to that connection.
func ActionName(rule, connection string, n int) string {
	name := rule + "/" + connection
	if n > 1 {
		name += "#" + strconv.Itoa(n)
	}
	return name
}

// WithoutElement is the action's name in that of one of its deliveries, as ElementName
// makes it.
func WithoutElement(name string) string {
	if strings.HasSuffix(name, "]") {
		name = name[:strings.LastIndexByte(name, '[')]
	}
	return name
}

// ElementName names what an action sends for one element of its rule's for_each:
// rule/connection[0] for the first. element counts from 1; with 0 there is none, and
// the name stays the action's.
func ElementName(action string, element int) string {
	if element == 0 {
		return action
	}
	return action + "[" + strconv.Itoa(element-1) + "]"
}
