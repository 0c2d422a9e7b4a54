package forms

// Contrast is the contrast ratio of two colours.
func Contrast(a, b string) float64 {
	x, _ := parseColor(a)
	y, _ := parseColor(b)
	return contrast(x, y)
}
