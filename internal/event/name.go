package event

import "strconv"

// ActionName names a rule's action as users write it: rule/connection, and
// rule/connection#2 for the second action of the rule to that connection.
func ActionName(rule, connection string, n int) string {
	name := rule + "/" + connection
	if n > 1 {
		name += "#" + strconv.Itoa(n)
	}
	return name
}
