package forms

import (
	"html/template"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/locale"
	"hookgate/internal/yamlnode"
)

// settings is a form as the configuration file has it.
type settings struct {
	spamSettings

	Origins   []yamlnode.Text                `yaml:"origins,single" doc:"The websites that may post, each as scheme, host and port; any where left out, but then no script of another site reads the answer." example:"[https://harrys-diner.example]"`
	Fields    yamlnode.Node                  `yaml:"fields,required" doc:"The form's fields by name, or any to keep whatever is posted."`
	Unknown   yamlnode.Text                  `yaml:"unknown" doc:"What becomes of posted fields that are not declared." values:"keep,refuse" default:"keep"`
	Honeypot  *yamlnode.Text                 `yaml:"honeypot" doc:"A field that people do not see: a post that fills it is spam." default:"_gotcha"`
	Redirect  yamlnode.Text                  `yaml:"redirect" doc:"Where visitors go after a post; the built-in page where left out." example:"https://harrys-diner.example/thanks"`
	Lang      yamlnode.Text                  `yaml:"lang" doc:"The language of messages and pages; the browser's where left out." default:"the browser's" example:"de"`
	Brand     brandSettings                  `yaml:"brand" doc:"Whose pages they are."`
	Title     string                         `yaml:"title" doc:"The heading of the form's own page; made from its name where left out." example:"Write to us"`
	Intro     yamlnode.Text                  `yaml:"intro" doc:"A text under that heading; links, emphasis and lists as in Markdown." example:"We answer within **one working day**."`
	Thanks    yamlnode.Text                  `yaml:"thanks" doc:"What the page after a post says in place of \"We have received your message\"; Markdown as in intro." example:"We call you **today**. [More about us](https://harrys-diner.example/about)"`
	Footer    yamlnode.Text                  `yaml:"footer" doc:"A text at the foot of the form's pages; Markdown as in intro." example:"Harry's Diner, Main Street 1"`
	Submit    string                         `yaml:"submit" doc:"What the button says." default:"Send"`
	RateLimit *yamlnode.Rate                 `yaml:"rate_limit" doc:"How many posts one address may make in a time." default:"5/m" example:"10/m"`
	Autoreply yamlnode.Node                  `yaml:"autoreply" doc:"A mail to whoever filled the form in, at most one a day and address."`
	MaxBody   yamlnode.Placed[yamlnode.Size] `yaml:"max_body" doc:"The largest post." default:"1MB" example:"1MB" above:"0"`
	MaxUpload yamlnode.Placed[yamlnode.Size] `yaml:"max_upload" doc:"The largest sum of the files of a post." default:"50MB" example:"20MB" above:"0"`
	Quota     yamlnode.Placed[yamlnode.Size] `yaml:"quota" doc:"How much the files of its posts may take in a day, all together." default:"200MB" example:"1GB" above:"0"`

	senderKeys
}

// Noun names the thing in messages.
func (settings) Noun() string { return "a form" }

// KeyHint helps with keys that users of other form services write.
func (settings) KeyHint(key string) string {
	switch key {
	case "_next", "next", "success":
		return `write "redirect"`
	case "thank_you", "thankyou", "success_message", "confirmation_message":
		return `write "thanks"`
	case "foot", "legal":
		return `write "footer"`
	case "imprint", "impressum", "privacy", "datenschutz":
		return `write "brand: { imprint, privacy }"`
	case "heading", "headline":
		return `write "title"`
	case "button", "submit_text":
		return `write "submit"`
	case "colour", "color", "logo", "theme":
		return `write "brand: { name, color, logo }"`
	case "language", "locale":
		return `write "lang"`
	case "cors", "domains", "allowed_origins":
		return `write "origins"`
	case "blacklist", "blocked", "denylist":
		return `write "blocklist"`
	case "turnstile", "hcaptcha", "recaptcha":
		return "write \"captcha: { type: " + key + ", secret: … }\""
	case "dedupe", "duplicate":
		return `write "duplicates"`
	case "rate", "limit":
		return `write "rate_limit"`
	case "reply", "auto_reply", "autoresponder", "autorespond", "confirmation":
		return `did you mean "autoreply"?`
	case "notify", "notification", "email_to", "recipient":
		return "write a rule from the form to a connection of type email"
	case "extra", "additional_fields", "strict":
		return `write "unknown: keep" or "unknown: refuse"`
	}
	return ""
}

func (s *settings) apply(f *Form) diag.List {
	var list diag.List
	for _, text := range s.Origins {
		if text.IsZero() {
			continue // Decode has complained
		}
		origin, problem := parseOrigin(text.Value)
		if problem != "" {
			list = append(list, text.Diag("bad-origin", originHint(text.Value), "%q is not an origin: %s", text.Value, problem))
			continue
		}
		if !slices.Contains(f.origins, origin) {
			f.origins = append(f.origins, origin)
		}
	}
	if !s.Redirect.IsZero() {
		to, ok := parseTarget(s.Redirect.Value)
		if !ok {
			list = append(list, s.Redirect.Diag("bad-redirect", "write a whole address, https://example.com/thanks, or a path, /thanks",
				"%q is nowhere to redirect to", s.Redirect.Value))
		}
		f.redirect = to
	}
	list = append(list, s.speech(f)...)
	list = append(list, s.spamSettings.apply(f)...)
	if s.RateLimit != nil && s.RateLimit.Count > 0 {
		f.rate = *s.RateLimit
	}
	if !s.MaxBody.IsZero() {
		f.maxBody = int64(s.MaxBody.Value)
	}
	reply, faults := readAutoreply(s.Autoreply)
	f.autoreply, list = reply, append(list, faults...)
	list = append(list, s.fields(f)...)
	list = append(list, s.upload(f)...)
	list = append(list, s.quota(f)...)
	list = append(list, s.unknown(f)...)
	if s.Honeypot != nil {
		f.honeypot = s.Honeypot.Value
		if f.honeypot != "" && f.byName[f.honeypot] != nil {
			list = append(list, s.Honeypot.Diag("bad-value", "choose a name that no field has", `the honeypot %q is a field of the form: every filled-in form would be spam`, f.honeypot))
		}
	}
	return list
}

// speech reads what the form's pages say, and in which language.
func (s *settings) speech(f *Form) diag.List {
	list := s.Brand.apply(&f.brand)
	f.style, f.styleHash = styleOf(f.brand.css)
	f.title, f.submit = s.Title, s.Submit
	for _, one := range []struct {
		from yamlnode.Text
		to   *template.HTML
	}{{s.Intro, &f.intro}, {s.Thanks, &f.thanks}, {s.Footer, &f.footer}} {
		told, faults := readTold(one.from)
		list = append(list, faults...)
		*one.to = template.HTML(told.Blocks()) //nolint:gosec // what markup writes is escaped
	}
	if s.Lang.IsZero() {
		return list
	}
	f.lang = Lang(s.Lang.Value)
	if !f.lang.Known() {
		known := make([]string, 0, len(Languages()))
		for _, lang := range Languages() {
			known = append(known, string(lang))
		}
		list = append(list, s.Lang.Diag("bad-value", "", `"lang" must be %s, not %q`, strings.Join(known, " or "), s.Lang.Value))
	}
	return list
}

// quota reads how much the form may store; f's other limits are known.
func (s *settings) quota(f *Form) diag.List {
	f.quota = max(defaultQuota, 4*f.maxUpload)
	if s.Quota.IsZero() {
		return nil
	}
	if f.quota = int64(s.Quota.Value); f.quota < f.maxUpload {
		return diag.List{s.Quota.Diag("bad-value", "", `"quota" is less than what one post may have (max_upload)`)}
	}
	return nil
}

func (s *settings) fields(f *Form) diag.List {
	n := s.Fields
	if n.Kind() == yamlnode.Scalar && n.Text().Value == "any" {
		f.any = true
		return nil
	}
	if n.IsZero() {
		return nil // Decode has complained
	}
	declared := n.Fields()
	if len(declared) == 0 {
		return diag.List{n.Diag("wrong-type", `write "fields: any" to keep whatever is posted`, `"fields" must name the form's fields`)}
	}
	var list diag.List
	f.byName = make(map[string]*field, len(declared))
	f.byPath = make(map[string]*field, len(declared))
	f.nested = map[string]bool{}
	for _, entry := range declared {
		list = append(list, checkName(entry.Key)...)
		fd, faults := compileField(entry)
		list = append(list, faults...)
		if speaks, ok := locale.Find(string(f.lang)); ok {
			fd.speaks = speaks
		}
		if twin := f.byPath[fd.path.pattern()]; twin != nil {
			list = append(list, entry.Key.Diag("bad-name", "leave one of them out", "%q and %q are one field: both are data.%s", twin.name, fd.name, strings.Join(fd.path, ".")))
		}
		f.fields = append(f.fields, fd)
		f.byName[fd.name] = fd
		f.byPath[fd.path.pattern()] = fd
		if len(fd.path) > 1 {
			f.nested[fd.path[0]] = true
		}
	}
	return append(list, f.checkNesting(declared)...)
}

// checkNesting refuses a field that others are parts of: it cannot be a value
// and an object.
func (f *Form) checkNesting(declared []yamlnode.Field) diag.List {
	var list diag.List
	for i, fd := range f.fields {
		if len(fd.path) == 1 && f.nested[fd.path[0]] {
			list = append(list, declared[i].Key.Diag("bad-name", "choose another name", "%q has parts (%s[…]) and cannot be a field itself", fd.path[0], fd.path[0]))
		}
	}
	return list
}

func (s *settings) unknown(f *Form) diag.List {
	switch {
	case s.Unknown.IsZero():
		return nil
	case s.Unknown.Value != "keep" && s.Unknown.Value != "refuse":
		return diag.List{s.Unknown.Diag("bad-value", "keep puts them under data.extra", `"unknown" must be keep or refuse, not %q`, s.Unknown.Value)}
	case f.any && s.Unknown.Value == "refuse":
		return diag.List{s.Unknown.Diag("conflict", "declare the fields, or leave this out", `with "fields: any" no field is unknown`)}
	}
	f.refuse = s.Unknown.Value == "refuse"
	return nil
}

func checkName(key yamlnode.Text) diag.List {
	switch {
	case strings.TrimSpace(key.Value) == "" || len(key.Value) > MaxName:
		return diag.List{key.Diag("bad-name", "", "a field's name has 1 to %d bytes", MaxName)}
	case pathOf(key.Value).path[0] == extraKey:
		return diag.List{key.Diag("bad-name", "choose another name", "data.extra holds the fields that are not declared, no field can have its name")}
	}
	return nil
}

// Describe tells what a form of config.yaml can hold.
func Describe() yamlnode.Spec {
	s := yamlnode.Describe[settings]()
	field := yamlnode.Describe[fieldSettings]()
	typ := field.Field("type")
	typ.Type, typ.Values = yamlnode.EnumType, nil
	for _, k := range kinds {
		typ.Values = append(typ.Values, string(k))
	}
	format := s.Field("format")
	format.Type, format.Values = yamlnode.EnumType, formatNames()
	lang := s.Field("lang")
	lang.Type, lang.Values = yamlnode.EnumType, nil
	for _, known := range Languages() {
		lang.Values = append(lang.Values, string(known))
	}
	option := yamlnode.Describe[choiceSettings]()
	field.Field("options").Item = &yamlnode.Spec{OneOf: []yamlnode.Spec{{Type: yamlnode.TextType}, option}}
	fields := s.Field("fields")
	fields.Type = yamlnode.AnyType
	fields.OneOf = []yamlnode.Spec{
		{Type: yamlnode.EnumType, Values: []string{"any"}, Doc: "Keep whatever is posted."},
		{Type: yamlnode.MappingType, Item: &field, Doc: "The fields by the names that they are posted under."},
	}
	reply := yamlnode.Describe[autoreplySettings]()
	for i := range reply.Fields {
		reply.Fields[i].Template = !slices.Contains(ownKeys, reply.Fields[i].Name)
	}
	autoreply := s.Field("autoreply")
	autoreply.Type, autoreply.Fields = reply.Type, reply.Fields
	return s
}
