package export

// XLSXOf is XLSX with sheets of so many rows, the head among them, which are taken from excelize after about so many bytes.
var XLSXOf = xlsx

// Limit makes files of a desk small.
func (d *Desk) Limit(bytes int64) { d.largest = bytes }

// Read reads a spreadsheet's cells into a row, as they were written for a record.
func (c *Content) Read(columns []Column, cells []string, into *Row) error {
	for i, cell := range cells {
		if err := columns[i].Parse(cell, into); err != nil {
			return err
		}
	}
	return nil
}
