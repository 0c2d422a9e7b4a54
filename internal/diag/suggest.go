package diag

import (
	"fmt"
	"slices"
	"strings"
)

// Suggest returns the candidate nearest to word, or "" when none is near
// enough to be what was meant.
func Suggest(word string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance && d < max(len(word), len(c)) { // else nothing is alike
			best, bestDistance = c, d
		}
	}
	if best != "" || len(word) < minPart {
		return best
	}
	for _, c := range candidates { // "token" of a connection that has "bot_token"
		parts := strings.FieldsFunc(strings.ToLower(c), func(r rune) bool { return r == '_' || r == '-' || r == '.' })
		if !slices.Contains(parts, strings.ToLower(word)) {
			continue
		}
		if best != "" {
			return "" // it may be the one or the other
		}
		best = c
	}
	return best
}

// minPart is how long a word is at least that is looked for as a part of others.
const minPart = 3

// DidYouMean is Suggest as a hint, "" when nothing is near.
func DidYouMean(word string, candidates []string) string {
	if s := Suggest(word, candidates); s != "" {
		return Meant(s)
	}
	return ""
}

// Meant is the hint that word is meant.
func Meant(word string) string { return fmt.Sprintf("did you mean %q?", word) }

// mostNamed bounds how many names a hint tells.
const mostNamed = 8

// Among is the hint for a word that is none of those that there are: the one that may be
// meant, else which there are.
func Among(word string, names []string) string {
	switch near := Suggest(word, names); {
	case near != "":
		return Meant(near)
	case len(names) == 0:
		return "there is none"
	case len(names) == 1:
		return "there is only " + names[0]
	case len(names) > mostNamed:
		return fmt.Sprintf("there are %s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
	}
	return "there are " + strings.Join(names, ", ")
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours each cost one.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
