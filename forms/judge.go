package forms

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	// defaultDuplicates is how long the same post from the same address is a
	// repeat: a double click, or a reload.
	defaultDuplicates = time.Minute
	// maxReason bounds what a reason quotes, in characters.
	maxReason = 60
)

// linkForm finds links as spam has them: addresses, and mark-up of forums.
var linkForm = regexp.MustCompile(`(?i)(?:https?://|\bwww\.)[^\s"'<>()\[\]]+|<a\s+href|\[url`)

// bareLink finds addresses without a scheme, which mail programs make links of.
var bareLink = regexp.MustCompile(`(?i)[\pL\pN-]{2,}\.[a-z]{2,}/[^\s"'<>()\[\]]*`)

// Duplicates is how long the same post from the same address counts as a
// repeat of the first; 0: never.
func (f *Form) Duplicates() time.Duration { return f.duplicates }

// Judge says why a post that Submit has found in order is spam, "" if it is
// not. key is what the form's time tokens are signed with. It asks nobody: what
// a captcha's vendor says comes after it.
func (f *Form) Judge(r *Result, key []byte, now time.Time) string {
	if reason := f.tooFast(r, key, now); reason != "" {
		return reason
	}
	links := 0
	for _, p := range r.posted {
		reason, n := f.judgeField(&p)
		if reason != "" {
			return reason
		}
		links += n
	}
	if f.maxLinks >= 0 && links > f.maxLinks {
		return fmt.Sprintf("max_links: %d links, more than %d", links, f.maxLinks)
	}
	if f.captcha != nil && f.CaptchaAnswer(r) == "" {
		return "captcha: no answer was sent"
	}
	return ""
}

// judgeField says which entry of the blocklist a posted field has, and counts
// the links in it. Of the instructions only the address for replies counts.
func (f *Form) judgeField(p *keptField) (reason string, links int) {
	if p.path == nil {
		if domain := within(f.blocked.disposable, domainOf(plain(p.Value))); domain != "" && p.Name == "_replyto" {
			reason = "blocklist: a throw-away address at " + domain
		}
		return reason, 0
	}
	fd := f.declared(p.path)
	for _, text := range textsIn(nil, p.Value) {
		if reason := f.blocks(text); reason != "" {
			return reason, 0
		}
		if fd == nil || fd.kind != urlKind {
			links += len(linkForm.FindAllStringIndex(text, -1))
		}
	}
	return "", links
}

// blocks says which entry of the blocklist the text has.
func (f *Form) blocks(text string) string {
	if f.blocked.words != nil {
		if m := f.blocked.words.FindStringSubmatch(text); m != nil {
			return fmt.Sprintf("blocklist: the word %q", cut(m[1], maxReason))
		}
	}
	domain := domainOf(text)
	if entry := within(f.blocked.disposable, domain); entry != "" {
		return "blocklist: a throw-away address at " + entry
	}
	if len(f.blocked.domains) == 0 {
		return ""
	}
	if entry := within(f.blocked.domains, domain); entry != "" {
		return "blocklist: an address at " + entry
	}
	for _, link := range linkForm.FindAllString(text, -1) {
		if entry := within(f.blocked.domains, hostOf(link)); entry != "" {
			return "blocklist: a link to " + entry
		}
	}
	return ""
}

// textsIn are all the texts in a posted value, which may be nested in JSON.
func textsIn(list []string, value any) []string {
	switch v := value.(type) {
	case string:
		return append(list, strings.ToValidUTF8(v, "\uFFFD"))
	case []any:
		for _, item := range v {
			list = textsIn(list, item)
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			list = textsIn(list, v[key])
		}
	}
	return list
}
