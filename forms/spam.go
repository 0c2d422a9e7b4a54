package forms

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"hookgate/internal/contact"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// spamSettings are the checks of a form that tell people from robots.
type spamSettings struct {
	MinTime    time.Duration     `yaml:"min_time" doc:"How long a person takes to fill the form in, at the least." example:"3s"`
	MaxLinks   *int              `yaml:"max_links" doc:"How many links the texts may have." example:"2" min:"0" hint:"0 allows none"`
	Blocklist  blocklistSettings `yaml:"blocklist" doc:"What no welcome post has."`
	Duplicates *time.Duration    `yaml:"duplicates" doc:"For how long the same post from the same address is a repeat; 0s for never." default:"1m" example:"10m"`
	Captcha    *captchaSettings  `yaml:"captcha" doc:"A captcha that visitors solve."`
}

// blocklistSettings name what no welcome post has.
type blocklistSettings struct {
	Words      []yamlnode.Text `yaml:"words,single" doc:"Words and phrases, whole ones; with * at the end all that begin so." example:"[casino*, buy now]"`
	Domains    []yamlnode.Text `yaml:"domains,single" doc:"Domains of e-mail addresses and links, with those below them." example:"[spam.example]"`
	Disposable yamlnode.Text   `yaml:"disposable" doc:"A file with the domains of throw-away e-mail addresses, one a line." example:"./disposable.txt"`
}

// Noun names the thing in messages.
func (blocklistSettings) Noun() string { return "blocklist" }

// captchaSettings say whose captcha it is.
type captchaSettings struct {
	Type      yamlnode.Text            `yaml:"type,required" doc:"Whose captcha it is." values:"turnstile,hcaptcha,recaptcha"`
	Secret    yamlnode.Text            `yaml:"secret,required" doc:"The secret key." example:"${CAPTCHA_SECRET}"`
	Sitekey   string                   `yaml:"sitekey" doc:"The public key, for the form's own page and the snippets." example:"0x4AAAAAAA"`
	MinScore  yamlnode.Placed[float64] `yaml:"min_score" doc:"Of reCAPTCHA v3: the lowest score of a person; that of v2 where left out." example:"0.5" min:"0" max:"1" hint:"0.5 is what Google recommends to begin with"`
	VerifyURL yamlnode.Text            `yaml:"verify_url" doc:"Where answers are checked, if not at the vendor's." example:"https://captcha.example/verify"`
}

// Noun names the thing in messages.
func (captchaSettings) Noun() string { return "captcha" }

// maxDisposable bounds the list of domains, in bytes: lists in use have 100,000
// entries.
const maxDisposable = 8 << 20

// blocklist is compiled; a nil words matches nothing.
type blocklist struct {
	words      *regexp.Regexp
	domains    map[string]bool
	disposable map[string]bool
}

func (s *spamSettings) apply(f *Form) diag.List {
	var list diag.List
	f.minTime, f.maxLinks, f.duplicates = s.MinTime, -1, defaultDuplicates
	if s.Duplicates != nil {
		f.duplicates = *s.Duplicates
	}
	if s.MaxLinks != nil {
		f.maxLinks = *s.MaxLinks
	}
	list = append(list, s.Blocklist.apply(&f.blocked)...)
	if s.Captcha != nil {
		captcha, faults := s.Captcha.compile()
		f.captcha = captcha
		list = append(list, faults...)
	}
	return list
}

func (s *blocklistSettings) apply(b *blocklist) diag.List {
	var list diag.List
	var words []string
	for _, word := range s.Words {
		text := strings.TrimSpace(word.Value)
		bare, begins := strings.CutSuffix(text, "*")
		if bare == "" {
			list = append(list, word.Diag("bad-value", "", "%q would block every post", word.Value))
			continue
		}
		pattern := strings.Join(strings.Fields(regexp.QuoteMeta(bare)), `\s+`)
		if begins {
			pattern += `[\pL\pN\pM_]*`
		}
		words = append(words, pattern)
	}
	if len(words) > 0 {
		compiled, err := regexp.Compile(`(?i)(?:^|[^\pL\pN\pM_])(` + strings.Join(words, "|") + `)(?:$|[^\pL\pN\pM_])`)
		if err != nil {
			return append(list, s.Words[0].Diag("bad-value", "", "there are too many words"))
		}
		b.words = compiled
	}
	for _, domain := range s.Domains {
		name, ok := domainName(domain.Value)
		if !ok {
			list = append(list, domain.Diag("bad-value", "such as spam.example", "%q is no domain", domain.Value))
			continue
		}
		if b.domains == nil {
			b.domains = map[string]bool{}
		}
		b.domains[name] = true
	}
	if !s.Disposable.IsZero() {
		domains, problem := readDomains(s.Disposable)
		if problem != "" {
			list = append(list, s.Disposable.Diag("bad-file", "one domain a line, such as mailinator.com", "%s", problem))
		}
		b.disposable = domains
	}
	return list
}

// readDomains reads a list of domains, one a line; # begins a comment. A
// relative path starts at the folder of the configuration.
func readDomains(path yamlnode.Text) (map[string]bool, string) {
	name := path.Value
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(path.Pos().File), name)
	}
	info, err := os.Stat(name)
	if err != nil || info.IsDir() || info.Size() > maxDisposable {
		return nil, "the file " + path.Value + " is not there, or is no list of domains"
	}
	file, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, "the file " + path.Value + " cannot be read"
	}
	defer func() { _ = file.Close() }()
	domains := map[string]bool{}
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		domain, ok := domainName(text)
		if !ok {
			return nil, path.Value + ", line " + decimal(number) + ": this is no domain"
		}
		domains[domain] = true
	}
	if lines.Err() != nil {
		return nil, "the file " + path.Value + " cannot be read"
	}
	return domains, ""
}

// domainName brings a domain to the form in which domains are compared.
func domainName(text string) (string, bool) {
	text = strings.ToLower(strings.Trim(strings.TrimPrefix(strings.TrimSpace(text), "@"), "."))
	ascii, err := idna.Lookup.ToASCII(text)
	return ascii, err == nil && ascii != "" && !strings.ContainsAny(ascii, "/:@* ")
}

// within is the entry of the set that the domain is, or is below, "" for none.
func within(set map[string]bool, domain string) string {
	for rest := domain; rest != "" && len(set) > 0; {
		if set[rest] {
			return rest
		}
		_, rest, _ = strings.Cut(rest, ".")
	}
	return ""
}

// domainOf is the domain of an e-mail address, "" for what is none.
func domainOf(text string) string {
	if !strings.Contains(text, "@") || len(text) > 320 {
		return ""
	}
	address := strings.TrimSpace(text)
	if parsed, err := mail.ParseAddress(address); err == nil {
		address = parsed.Address
	} else if !contact.IsEmail(address) {
		return ""
	}
	domain, _ := domainName(address[strings.LastIndexByte(address, '@')+1:])
	return domain
}

// hostOf is the host of a link as it stands in a text.
func hostOf(link string) string {
	if !strings.Contains(link, "://") {
		link = "http://" + link
	}
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	host, _ := domainName(u.Hostname())
	return host
}

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

// Visit is what is known of a visit besides what was posted.
type Visit struct {
	Key []byte // that the form's time tokens are signed with
	Now time.Time
}

// Judge says why a post that Submit has found in order is spam, "" if it is
// not. Without a Visit, what proves that a person posted is not asked for: the
// time token and the answer to a captcha. It asks nobody: what a captcha's
// vendor says comes after it.
func (f *Form) Judge(r *Result, v *Visit) string {
	if v != nil {
		if reason := f.tooFast(r, v.Key, v.Now); reason != "" {
			return reason
		}
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
	if v != nil && f.captcha != nil && f.CaptchaAnswer(r) == "" {
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

const (
	// startedField carries the time token: when the visitor got the form, signed.
	startedField = "_started"
	// startedFor is how long a token is good: a page may be left open for days,
	// but one token must not serve a robot for ever.
	startedFor = 7 * 24 * time.Hour
)

// Timed reports whether the form's pages need a time token.
func (f *Form) Timed() bool { return f.minTime > 0 }

// Started is a time token of the form: the time, signed with key.
func (f *Form) Started(key []byte, now time.Time) string {
	at := strconv.FormatInt(now.UnixMilli(), 36)
	return at + "." + f.sign(key, at)
}

func (f *Form) sign(key []byte, at string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "form %s %s", f.Name, at) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// StartedScript is the program that puts a time token into the form's snippets
// on the page that loads it.
func (f *Form) StartedScript(key []byte, now time.Time) (string, error) {
	texts := make([]string, 2)
	for i, text := range []string{`input[name="` + startedField + `"][data-form="` + f.Name + `"]`, f.Started(key, now)} {
		literal, err := json.Marshal(text)
		if err != nil {
			return "", fmt.Errorf("write the time token of form %s: %w", f.Name, err)
		}
		texts[i] = string(literal)
	}
	return "document.querySelectorAll(" + texts[0] + ").forEach(function (input) { input.value = " + texts[1] + "; });\n", nil
}

// tooFast judges a post by its time token.
func (f *Form) tooFast(r *Result, key []byte, now time.Time) string {
	if !f.Timed() {
		return ""
	}
	i := slices.IndexFunc(r.posted, func(p keptField) bool { return p.Name == startedField && plain(p.Value) != "" })
	if i < 0 {
		return "min_time: no time token; the page did not fetch one"
	}
	at, signature, _ := strings.Cut(plain(r.posted[i].Value), ".")
	ms, err := strconv.ParseInt(at, 36, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(f.sign(key, at))) {
		return "min_time: the time token is not ours"
	}
	switch age := now.Sub(time.UnixMilli(ms)); {
	case age < f.minTime:
		return fmt.Sprintf("min_time: filled in within %s, less than %s", max(0, age.Round(100*time.Millisecond)), f.minTime)
	case age > startedFor:
		return "min_time: the time token is older than 7 days"
	}
	return ""
}
