package lang

import "slices"

// Analyse tells what the template's expressions read and compare.
func (t *Template) Analyse() Analysis {
	var all Analysis
	for _, p := range t.programs() {
		a, tree := analyse(p)
		if tree == nil {
			continue
		}
		a.logic(tree)
		all.Reads = append(all.Reads, a.out.Reads...)
		all.Compares = append(all.Compares, a.out.Compares...)
		all.Faults = append(all.Faults, a.out.Faults...)
	}
	return all
}

func (t *Template) programs() []*program {
	var list []*program
	for i := range t.pieces {
		if t.pieces[i].leaf == nil {
			continue
		}
		for _, p := range t.pieces[i].leaf.parts {
			if p.program != nil {
				list = append(list, p.program)
			}
		}
	}
	return list
}

// Blanks are the values without which the text at that path of the document
// renders to nothing: where it is made of nothing but ${{ }}, none of which has
// a ?? that gives another value. Any other text has none.
func (t *Template) Blanks(at string) []Read {
	i := slices.IndexFunc(t.pieces, func(p piece) bool {
		return p.leaf != nil && p.leaf.parts[0].program != nil && p.leaf.parts[0].program.src.text.Path() == at
	})
	if i < 0 {
		return nil
	}
	var reads []Read
	for _, p := range t.pieces[i].leaf.parts {
		if p.program == nil {
			return nil
		}
		a, tree := analyse(p.program)
		if tree == nil {
			return nil
		}
		r, ok := a.read(tree)
		if !ok {
			return nil
		}
		r.Place = a.place(tree)
		reads = append(reads, r)
	}
	return reads
}
