package recipe_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"hookgate/connectors/recipe"
)

// A recipe with anything in it mistyped is refused or read, never more: the
// built-in ones with a few bytes changed, lost, doubled or put in. Broken by
// checking the samples of actions that are faulty themselves.
func TestRead_mutated(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../recipes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var texts [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1500 {
		text := bytes.Clone(texts[random.IntN(len(texts))])
		for range 1 + random.IntN(6) {
			text = mutated(random, text)
		}
		func() {
			defer func() {
				if cause := recover(); cause != nil {
					t.Fatalf("%v at\n%s", cause, text)
				}
			}()
			if r, list := recipe.Read("x.yaml", text); (r == nil) == (list.Err() == nil) {
				t.Fatalf("got %v and %v", r, list)
			}
		}()
	}
}

func mutated(random *rand.Rand, text []byte) []byte {
	from := random.IntN(len(text))
	to := min(len(text), from+random.IntN(60))
	switch random.IntN(4) {
	case 0:
		text[from] = byte(random.IntN(128))
		return text
	case 1:
		return append(text[:from:from], text[to:]...)
	case 2:
		return append(text[:to:to], text[from:]...)
	default:
		const signs = " {}[]:&*!\n|>'\""
		return append(append(text[:from:from], signs[random.IntN(len(signs))]), text[from:]...)
	}
}
