package config

import (
	"slices"
	"strings"
	"unicode"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// ignoreMark begins a comment that silences warnings.
const ignoreMark = "hookgate:ignore"

// Silenceable are the codes of all warnings and advice, in docs/configuration.md's order.
func Silenceable() []string {
	return []string{
		"file-mode", "blanks-cut", "weak-password", "unverified", "unsigned-query", "no-public-url", "no-trusted-proxy", "trusts-all", "no-encryption", "private-address", "literal-braces", "yaml-comment", "yaml-anchor", "number-spelling", "empty-include", "no-test-file", "open-autoreply",
		"unseen-field", "unseen-value", "type-mismatch", "may-be-missing", "contradiction", "always-true", "constant-condition",
		"duplicate-rule", "duplicate-action", "remember-twice", "no-ordering-key", "delayed-order", "throttle-no-key", "throttle-no-step", "digest-no-key", "digest-no-step", "late-fallback", "outlives-retention", "for-each-size", "reserved-input", "secret-in-rule", "unused-source", "unused-form", "unused-connection", "no-alerts", "holidays-end", "dst",
	}
}

// ignore is one code of one comment.
type ignore struct {
	comment yamlnode.Comment
	code    string
	used    bool
}

// Silence takes out the warnings that comments in the file ask to ignore, and
// warns of comments that ignore nothing. undecided are codes of which that
// cannot be said, for not all that there can be has been looked for.
func (r *Report) Silence(undecided ...string) {
	ignores, faults := r.ignores()
	r.List = slices.DeleteFunc(r.List, func(d diag.Diagnostic) bool {
		if d.Severity == diag.Error {
			return false
		}
		silent := false
		for i := range ignores {
			if ig := &ignores[i]; ig.code == d.Code && ig.comment.File == d.File && d.Line >= ig.comment.From && d.Line <= ig.comment.To {
				ig.used, silent = true, true
			}
		}
		return silent
	})
	for i := range ignores {
		if ig := &ignores[i]; !ig.used && !slices.Contains(undecided, ig.code) {
			faults = append(faults, ignoreFault(ig.comment, ig.code, "unused-ignore", "take the comment out", "there is no "+ig.code+" to ignore here"))
		}
	}
	r.Add(faults)
}

// ignores reads the comments.
func (r *Report) ignores() (list []ignore, faults diag.List) {
	var comments []yamlnode.Comment
	for _, root := range r.roots {
		comments = append(comments, root.Comments(ignoreMark)...)
	}
	for _, c := range comments {
		codes := codesOf(c.Text)
		if len(codes) == 0 {
			faults = append(faults, ignoreFault(c, "", "bad-ignore", "write # hookgate:ignore CODE", "the comment does not say what to ignore"))
		}
		for _, code := range codes {
			if !slices.Contains(Silenceable(), code) {
				hint := diag.DidYouMean(code, Silenceable())
				if hint == "" {
					hint = "an error cannot be ignored; the codes of warnings are in docs/configuration.md"
				}
				faults = append(faults, ignoreFault(c, code, "bad-ignore", hint, "there is no warning \""+code+"\""))
				continue
			}
			list = append(list, ignore{comment: c, code: code})
		}
	}
	return list, faults
}

// codesOf are the codes that a comment names; behind another # it can say why.
func codesOf(text string) []string {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, ignoreMark), "#")
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ':' || unicode.IsSpace(c) })
}

// ignoreFault is a warning about a code in a comment, or about the whole of it.
func ignoreFault(c yamlnode.Comment, word, code, hint, message string) diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Warning, Code: code, Position: c.Position, Message: message, Hint: hint}
	if _, after, found := strings.Cut(c.Text, word); found && word != "" {
		d.Column += c.Width - len([]rune(after)) - len([]rune(word))
		d.Width = len([]rune(word))
	}
	return d
}
