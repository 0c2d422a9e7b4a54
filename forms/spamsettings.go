package forms

import (
	"bufio"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// spamSettings are the checks of a form that tell people from robots.
type spamSettings struct {
	MinTime    time.Duration     `yaml:"min_time" doc:"How long a person takes to fill the form in, at the least." example:"3s"`
	MaxLinks   yamlnode.Text     `yaml:"max_links" doc:"How many links the texts may have." type:"whole number" example:"2"`
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
	Type      yamlnode.Text `yaml:"type,required" doc:"Whose captcha it is." values:"turnstile,hcaptcha,recaptcha"`
	Secret    yamlnode.Text `yaml:"secret,required" doc:"The secret key." example:"${CAPTCHA_SECRET}"`
	Sitekey   string        `yaml:"sitekey" doc:"The public key, for the form's own page and the snippets." example:"0x4AAAAAAA"`
	MinScore  yamlnode.Text `yaml:"min_score" doc:"Of reCAPTCHA v3: the lowest score of a person, from 0 to 1; that of v2 where left out." type:"number" example:"0.5"`
	VerifyURL yamlnode.Text `yaml:"verify_url" doc:"Where answers are checked, if not at the vendor's." example:"https://captcha.example/verify"`
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
	if !s.MaxLinks.IsZero() {
		n, ok := index(s.MaxLinks.Value)
		if !ok {
			list = append(list, s.MaxLinks.Diag("bad-value", "0 allows none", `"max_links" must be a whole number, not %q`, s.MaxLinks.Value))
		}
		f.maxLinks = n
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
	} else if !validEmail(address) {
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
