package forms

import (
	"crypto/sha256"
	_ "embed" // for the program that asks for a score
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
)

//go:embed pages/score.js
var scoreScript string

// captchaVendor is what there is to know of a vendor's captcha.
type captchaVendor struct {
	name     string
	verify   string // where answers are checked, by POST of secret, response and remoteip
	field    string // in which pages post the answer
	class    string // of the element that becomes the captcha
	script   string
	policies []string // what a Content-Security-Policy must allow, by its directive
	styles   string
}

// captchaVendors are those that there are. Sources: the vendors' pages on
// server-side validation and on Content-Security-Policy.
var captchaVendors = []captchaVendor{
	{
		name: "turnstile", verify: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
		field: "cf-turnstile-response", class: "cf-turnstile", script: "https://challenges.cloudflare.com/turnstile/v0/api.js",
		policies: []string{"script-src https://challenges.cloudflare.com", "frame-src https://challenges.cloudflare.com"},
	},
	{
		name: "hcaptcha", verify: "https://api.hcaptcha.com/siteverify",
		field: "h-captcha-response", class: "h-captcha", script: "https://js.hcaptcha.com/1/api.js",
		policies: []string{
			"script-src https://hcaptcha.com https://*.hcaptcha.com", "frame-src https://hcaptcha.com https://*.hcaptcha.com",
			"connect-src https://hcaptcha.com https://*.hcaptcha.com",
		},
		styles: " https://hcaptcha.com https://*.hcaptcha.com",
	},
	{
		name: "recaptcha", verify: "https://www.google.com/recaptcha/api/siteverify",
		field: "g-recaptcha-response", class: "g-recaptcha", script: "https://www.google.com/recaptcha/api.js",
		policies: []string{
			"script-src https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/",
			"frame-src https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/", "connect-src https://www.google.com/recaptcha/",
		},
	},
}

// Captcha is how the answer to a form's captcha is checked: by a POST of its
// secret and the answer to VerifyURL, which tells success and error-codes.
type Captcha struct {
	VerifyURL string
	Secret    event.Secret

	vendor   *captchaVendor
	sitekey  string
	scored   bool // reCAPTCHA v3: no challenge, but a score
	minScore float64
}

// scoreVendor is who gives scores of which the greater are people's, and
// defaultScore is what it recommends to begin with.
const (
	scoreVendor  = "recaptcha"
	defaultScore = 0.5
)

// errNoScore says that the secret is not one of reCAPTCHA v3.
var errNoScore = errors.New("the vendor gave no score: min_score needs keys of reCAPTCHA v3")

// JudgeScore decides by the score that came with a good answer, nil where none
// did: refused says why its visitor is taken for a robot, "" for a person. The
// error is a mistake of the configuration.
func (c *Captcha) JudgeScore(score *float64) (refused string, err error) {
	switch {
	case c.vendor.name != scoreVendor, score == nil && !c.scored:
		return "", nil
	case score == nil:
		return "", errNoScore
	case *score < c.minScore:
		return fmt.Sprintf("score %.2g, less than %.2g", *score, c.minScore), nil
	}
	return "", nil
}

// Captcha is nil for a form without one.
func (f *Form) Captcha() *Captcha { return f.captcha }

func (s *captchaSettings) compile() (*Captcha, diag.List) {
	var list diag.List
	c := &Captcha{Secret: event.NewSecret(s.Secret.Value), sitekey: s.Sitekey, minScore: defaultScore}
	names := make([]string, len(captchaVendors))
	for i := range captchaVendors {
		if names[i] = captchaVendors[i].name; names[i] == s.Type.Value {
			c.vendor = &captchaVendors[i]
			c.VerifyURL = c.vendor.verify
		}
	}
	if c.vendor == nil && !s.Type.IsZero() {
		hint := diag.DidYouMean(s.Type.Value, names)
		if hint == "" {
			hint = "there are " + strings.Join(names, ", ")
		}
		list = append(list, s.Type.Diag("unknown-type", hint, "there is no captcha %q", s.Type.Value))
	}
	if !s.Secret.IsZero() && s.Secret.Value == "" {
		list = append(list, s.Secret.Diag("bad-value", "", `"secret" must not be empty`))
	}
	if !s.VerifyURL.IsZero() {
		c.VerifyURL = s.VerifyURL.Value
		u, err := url.Parse(c.VerifyURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
			list = append(list, s.VerifyURL.Diag("bad-url", "such as https://captcha.example/verify", `"verify_url" must be http:// or https:// and a host`))
		}
	}
	list = append(list, s.score(c)...)
	if s.Sitekey == "" && !s.Secret.IsZero() && list.Err() == nil {
		warning := s.Type.Diag("no-sitekey", "add the public key", "without its sitekey the form's own page and the snippets cannot show the captcha: what they post is spam")
		warning.Severity = diag.Warning
		list = append(list, warning)
	}
	return c, list
}

// score reads min_score, which also says that the keys are those of v3.
func (s *captchaSettings) score(c *Captcha) diag.List {
	if s.MinScore.IsZero() {
		return nil
	}
	if c.vendor != nil && c.vendor.name != scoreVendor {
		return diag.List{s.MinScore.Diag("conflict", "leave it out", `"min_score" is for reCAPTCHA v3: a %s has no score`, c.vendor.name)}
	}
	c.scored, c.minScore = true, s.MinScore.Value
	return nil
}

// shown reports whether pages of ours can show the captcha.
func (c *Captcha) shown() bool { return c != nil && c.sitekey != "" }

// captchaWidget is what a page shows of a captcha: an element of that class, or
// with Ask a hidden field and the program that fills it in.
type captchaWidget struct {
	Class, Sitekey, Script, Field string
	Ask                           template.JS
}

func (c *Captcha) widget() *captchaWidget {
	if !c.shown() {
		return nil
	}
	w := &captchaWidget{Class: c.vendor.class, Sitekey: c.sitekey, Script: c.vendor.script, Field: c.vendor.field}
	if c.scored {
		w.Script += "?render=" + url.QueryEscape(c.sitekey)
		w.Ask = template.JS(scoreScript) //nolint:gosec // the embedded file, nothing of a visitor's
	}
	return w
}

// policy is what the Content-Security-Policy of a page with it allows besides:
// whole directives, and additions to style-src.
func (c *Captcha) policy() (directives, styles string) {
	if !c.shown() {
		return "", ""
	}
	directives = "; " + strings.Join(c.vendor.policies, "; ")
	if c.scored {
		sum := sha256.Sum256([]byte(scoreScript))
		directives = strings.Replace(directives, "script-src", "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", 1)
	}
	return directives, c.vendor.styles
}

// CaptchaAnswer is what the visitor's browser posted for the form's captcha.
func (f *Form) CaptchaAnswer(r *Result) string {
	if f.captcha == nil {
		return ""
	}
	i := slices.IndexFunc(r.posted, func(p keptField) bool { return p.Name == f.captcha.vendor.field })
	if i < 0 {
		return ""
	}
	return plain(r.posted[i].Value)
}

// RefusedCaptcha is why a post whose captcha answer was refused is spam.
func RefusedCaptcha(codes []string) string {
	if len(codes) == 0 {
		return "captcha: the answer was refused"
	}
	return fmt.Sprintf("captcha: the answer was refused (%s)", cut(strings.Join(codes, ", "), 100))
}
