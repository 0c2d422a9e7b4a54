package rules

import (
	"regexp"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// secretForms are what tokens and keys look like that services hand out.
var secretForms = []struct {
	what string
	form *regexp.Regexp
}{
	{"a token of Slack", regexp.MustCompile(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`)},
	{"a webhook URL of Slack", regexp.MustCompile(`hooks\.slack\.com/(?:services|triggers|workflows)/[A-Za-z0-9/]{15,}`)},
	{"a key of Stripe", regexp.MustCompile(`\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}`)},
	{"a signing secret", regexp.MustCompile(`\bwhsec_[A-Za-z0-9+/=_-]{16,}`)},
	{"a token of GitHub", regexp.MustCompile(`\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})`)},
	{"a key of AWS", regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`)},
	{"a key of Google", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{30,}`)},
	{"a key of SendGrid", regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`)},
	{"a JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"a password in a URL", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@$]+:[^/\s@$]{3,}@`)},
	{"a token", regexp.MustCompile(`\b(?:Bearer|Basic) +[A-Za-z0-9._~+/-]{16,}=*`)},
	{"a key in hexadecimal digits", regexp.MustCompile(`\b(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{48}|[0-9a-f]{64})\b`)},
}

// secrets warns of what looks like a secret in a rule: rules are shown in the
// UI, in explanations and in what is sent.
func (l *linter) secrets(text yamlnode.Text) {
	for _, s := range secretForms {
		if at := s.form.FindStringIndex(text.Value); at != nil {
			l.add(text.DiagAt(at[0], at[1], "secret-in-rule", "put it into a connection, as ${NAME} from the environment",
				"this looks like %s; rules are shown and sent", s.what).Weigh(diag.Warning))
			return
		}
	}
}

func (l *linter) secretsBelow(n yamlnode.Node) {
	switch n.Kind() {
	case yamlnode.Map:
		for _, f := range n.Fields() {
			l.secretsBelow(f.Value)
		}
	case yamlnode.List:
		for _, item := range n.Items() {
			l.secretsBelow(item)
		}
	case yamlnode.Scalar:
		l.secrets(n.Text())
	case yamlnode.Null:
	}
}
