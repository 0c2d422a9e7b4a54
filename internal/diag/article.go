package diag

import "strings"

// A is a noun with its article, as messages say it: a text, an object. What is
// no noun stays as it is.
func A(noun string) string {
	switch {
	case noun == "", noun == "null", noun == "true or false":
		return noun
	case strings.IndexByte("aeio", noun[0]|0x20) >= 0: // names with a u begin as you does
		return "an " + noun
	}
	return "a " + noun
}
