package transfer

import "slices"

// Columns are the columns that are moved, as table.column, sorted.
func Columns() []string {
	var list []string
	for i := range tables {
		for _, c := range tables[i].columns {
			list = append(list, tables[i].name+"."+c)
		}
	}
	slices.Sort(list)
	return list
}
