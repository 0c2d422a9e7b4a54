package forms

import (
	"fmt"
	"slices"
	"strings"

	"hookgate/internal/body"
)

// honeypots are the names that form services use for a field that only bots
// fill in: Formspree, FormSubmit, Netlify, Web3Forms.
var honeypots = []string{"_gotcha", "_honey", "bot-field", "botcheck"}

// nexts are the names for the page to go to afterwards.
var nexts = []string{"_next", "_redirect", "redirect"}

// instructions are the other names that form services read as instructions.
// Those that hookgate has no use for are dropped, so that a page made for
// another service can post here unchanged.
var instructions = []string{
	"_subject", "_replyto", "_cc", "_template", "_captcha", "_autoresponse", "_language", "form-name", "_charset_", startedField,
	"g-recaptcha-response", "h-captcha-response", "cf-turnstile-response", "altcha",
}

// told are the instructions that rules can read, as query["_subject"]: what a
// page says about the post, and not a secret that serves once.
var told = []string{"_subject", "_replyto", "_cc", "_template", "_autoresponse", "_language", "form-name"}

// controls reports whether a posted field is an instruction and no data. A
// field that the configuration declares is data, whatever its name.
func (f *Form) controls(name string) bool {
	if f.byName[name] != nil {
		return false
	}
	if f.Webhook() { // a builder's page has no traps of ours, and a question may be called redirect
		return slices.Contains(instructions, name)
	}
	return f.honeypot != "" && name == f.honeypot ||
		slices.Contains(honeypots, name) || slices.Contains(nexts, name) || slices.Contains(instructions, name)
}

// trap reports whether only bots fill in the field: the form's honeypot and
// those of other services, unless the check is off or the field is declared.
func (f *Form) trap(name string) bool {
	if f.honeypot == "" || f.byName[name] != nil {
		return false
	}
	return name == f.honeypot || slices.Contains(honeypots, name)
}

// control reads the control fields; one that came as a list of JSON is as many
// fields.
func (f *Form) control(posted []body.Field, r *Result) {
	for _, p := range posted {
		if p.File || !f.controls(p.Name) {
			continue
		}
		values, ok := p.Value.([]any)
		if !ok {
			values = []any{p.Value}
		}
		for _, v := range values {
			f.instruct(p.Name, plain(v), r)
		}
	}
}

// instruct obeys one control field.
func (f *Form) instruct(name, text string, r *Result) {
	switch {
	case f.trap(name):
		if text != "" && text != "false" && r.Spam == "" {
			r.Spam = fmt.Sprintf("honeypot %s = %q", name, cut(text, 60))
		}
		return
	case slices.Contains(nexts, name):
		if to, ok := parseTarget(strings.TrimSpace(text)); ok && f.allowsTarget(to) && r.next.path == "" {
			r.next = to
		}
	case name == "_language":
		if lang := matchLang(text); text != "" && lang != "" {
			r.Language = lang
		}
	}
	if text != "" && slices.Contains(told, name) && len(text) <= maxTold {
		if r.Said == nil {
			r.Said = map[string]any{}
		}
		r.Said[name] = text
	}
}
