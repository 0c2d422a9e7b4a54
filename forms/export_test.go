package forms

import "io/fs"

// Contrast is the contrast ratio of two colours.
func Contrast(a, b string) float64 {
	x, _ := parseColor(a)
	y, _ := parseColor(b)
	return contrast(x, y)
}

// SpeakFrom gives the texts of other languages' files.
func SpeakFrom(folder fs.FS) (func(lang, kind, key string) string, error) {
	c, err := readLanguages(folder)
	if err != nil {
		return nil, err
	}
	return func(lang, kind, key string) string {
		t := c.texts[Lang(lang)]
		return map[string]string{
			"page": t.Page[key], "problem": t.Problem[key], "status": t.Status[key].Title,
			"format": map[string]string{"date": t.Format.Date, "decimal": t.Format.Decimal}[key],
		}[kind]
	}, nil
}
