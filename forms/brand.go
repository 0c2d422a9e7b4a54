package forms

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// brandSettings is how a form's pages show whose they are.
type brandSettings struct {
	Name  string        `yaml:"name" doc:"Shown above the pages, where there is no logo." example:"Harry's Diner"`
	Color yamlnode.Text `yaml:"color" doc:"Of the button, and of links as far as they can be read." example:"#8a1538"`
	Logo  yamlnode.Text `yaml:"logo" doc:"The address of an image." example:"https://www.example.com/logo.svg"`

	Imprint yamlnode.Text `yaml:"imprint" doc:"The address of the imprint, which the pages link to at their foot." example:"https://www.example.com/imprint"`
	Privacy yamlnode.Text `yaml:"privacy" doc:"The address of the privacy notice, which the pages link to at their foot." example:"https://www.example.com/privacy"`
}

// Noun names the thing in messages.
func (brandSettings) Noun() string { return "brand" }

// KeyHint helps with other words for the same.
func (brandSettings) KeyHint(key string) string {
	switch key {
	case "colour", "accent", "primary":
		return `write "color"`
	case "image", "icon":
		return `write "logo"`
	case "impressum", "legal", "legal_notice":
		return `write "imprint"`
	case "datenschutz", "privacy_notice", "privacy_policy":
		return `write "privacy"`
	}
	return ""
}

// brand is what the pages show of it.
type brand struct {
	Name, Logo       string
	Imprint, Privacy string
	logoOrigin       string
	css              string // the colours, "" for the built-in ones
}

func (s *brandSettings) apply(b *brand) diag.List {
	var list diag.List
	b.Name = s.Name
	if !s.Color.IsZero() {
		color, ok := parseColor(s.Color.Value)
		if !ok {
			list = append(list, s.Color.Diag("bad-value", `such as "#0b5cad", in quotes: # starts a YAML comment`, "%q is no colour of six hexadecimal digits", s.Color.Value))
		}
		b.css = color.css()
	}
	if !s.Logo.IsZero() {
		u, err := url.Parse(s.Logo.Value)
		b.Logo, b.logoOrigin = s.Logo.Value, originOf(s.Logo.Value)
		if err != nil || u.User != nil || b.logoOrigin == "" {
			list = append(list, s.Logo.Diag("bad-url", "such as https://www.example.com/logo.svg", `"logo" must be the address of an image, with https://`))
		}
	}
	b.Imprint, b.Privacy = s.Imprint.Value, s.Privacy.Value
	for _, text := range []yamlnode.Text{s.Imprint, s.Privacy} {
		if u, err := url.Parse(text.Value); !text.IsZero() && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			list = append(list, text.Diag("bad-url", "such as https://www.example.com/imprint", "%q is no whole address to link to", text.Value))
		}
	}
	return list
}

// rgb is a colour in sRGB, each part from 0 to 1.
type rgb [3]float64

// parseColor reads #rgb and #rrggbb.
func parseColor(text string) (rgb, bool) {
	digits, ok := strings.CutPrefix(text, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil || len(digits) != 6 {
		return rgb{}, false
	}
	return rgb{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, true
}

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// luminance is WCAG 2.2's relative luminance.
func (c rgb) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is WCAG 2.2's contrast ratio, from 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// legible is c, moved towards black or white until text in it can be read on
// all the grounds: 4.5 to 1, with a little to spare for rounding.
func (c rgb) legible(towards rgb, grounds ...rgb) rgb {
	const steps = 50
	for i := range steps + 1 {
		share := float64(i) / steps
		var mixed rgb
		for k := range mixed {
			mixed[k] = math.Round((c[k]+(towards[k]-c[k])*share)*255) / 255
		}
		worst := 21.0
		for _, ground := range grounds {
			worst = min(worst, contrast(mixed, ground))
		}
		if worst >= 4.55 {
			return mixed
		}
	}
	return towards
}

// css is the colour as the pages' style sheet wants it: as it is for the
// button, with black or white on it, whichever can be read better; and for
// links and marks as dark or light as the page makes it necessary.
func (c rgb) css() string {
	black, white := rgb{}, rgb{1, 1, 1}
	on := white
	if contrast(black, c) > contrast(white, c) {
		on = black
	}
	light := c.legible(black, white, rgb{0xf3 / 255.0, 0xf5 / 255.0, 0xf7 / 255.0})
	dark := c.legible(white, rgb{0x1b / 255.0, 0x23 / 255.0, 0x2b / 255.0}, rgb{0x12 / 255.0, 0x17 / 255.0, 0x1c / 255.0})
	return fmt.Sprintf(":root { --brand: %s; --on-brand: %s; --accent: %s; }\n@media (prefers-color-scheme: dark) { :root { --accent: %s; } }\n", c, on, light, dark)
}
