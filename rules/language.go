package rules

import "hookgate/internal/diag"

// Language numbers what rules can say. It grows by one with a version in which they can
// say something that the version before does not understand; then Needs knows it.
const Language = 1

// Need is what a configuration needs of the language.
type Need struct {
	Language int
	Words    string // that are as new
	At       diag.Position
}

// Needs is the newest that rules say.
func Needs(list []Rule) (n Need) {
	for i := range list {
		for _, a := range list[i].Actions() {
			if a.Remember != nil && a.After != nil && n.Language < 1 {
				n = Need{Language: 1, Words: "remember with after", At: a.Node.Get("after").KeyPos()}
			}
		}
	}
	return n
}
