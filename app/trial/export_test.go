package trial

import "hookgate/rules"

// Match judges the sample as intake would. Of spam nothing is sent.
func (t *Trial) Match() rules.Outcome {
	if t.Spam != "" {
		return rules.Outcome{}
	}
	return t.rules.Match(t.scope)
}
