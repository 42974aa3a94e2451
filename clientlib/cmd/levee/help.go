package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// errHelped says that help was printed in place of anything else.
var errHelped = errors.New("help was printed")

// helpFlag prints the help of the command that stands before it.
type helpFlag bool

// BeforeReset runs before anything that was written is judged.
func (helpFlag) BeforeReset(parsed *kong.Context, s *session) error {
	node := parsed.Selected()
	if node == nil {
		node = parsed.Model.Node
	}
	s.help(node)
	return errHelped
}

// fillInHelps puts texts in the place of their names. The parser could do it, with a regular expression for each text
// and flag.
func (s *session) fillInHelps(k *kong.Kong) error {
	fill := func(text *string) error {
		name, ok := strings.CutPrefix(*text, "${")
		if !ok {
			return nil
		}
		m, ok := helps[strings.TrimSuffix(name, "}")]
		if !ok {
			return fmt.Errorf("no help is called %s", *text)
		}
		*text = s.Say(m)
		return nil
	}
	return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
		switch v := v.(type) {
		case *kong.Node:
			return next(fill(&v.Help))
		case *kong.Flag:
			return next(errors.Join(fill(&v.Help), fill(&v.PlaceHolder)))
		case *kong.Value:
			return next(fill(&v.Help))
		default:
			return next(nil)
		}
	})
}

// helpColumns is how wide help is.
const helpColumns = 100

// help prints what a command does and takes. The parser's own printer knows no Chinese, and takes hanzi for one column.
func (s *session) help(node *kong.Node) {
	usage := node.FullPath()
	for _, a := range node.Positional {
		usage += " " + a.Summary()
	}
	if len(node.Children) > 0 {
		usage += " <" + s.Say(wordCommand) + ">"
	}
	s.line(usageIs, usage)
	s.section("", [][2]string{{"", node.Help}})
	s.section(s.Say(titleArguments), argumentRows(node))
	s.section(s.Say(titleCommands), commandRows(node))
	var own, common, global [][2]string
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			row := [2]string{flagText(f), f.Help}
			switch {
			case n.Parent == nil:
				global = append(global, row)
			case f.Group != nil:
				common = append(common, row)
			default:
				own = append(own, row)
			}
		}
	}
	s.section(s.Say(titleFlags), own)
	s.section(s.Say(titleCommonFlags), common)
	s.section(s.Say(titleGlobalFlags), global)
	if node.Parent == nil {
		s.section("", [][2]string{{"", s.Say(moreHelp)}})
	}
}

func argumentRows(node *kong.Node) (rows [][2]string) {
	for _, a := range node.Positional {
		rows = append(rows, [2]string{a.Summary(), a.Help})
	}
	return rows
}

func commandRows(node *kong.Node) (rows [][2]string) {
	for _, c := range node.Children {
		name := c.Name
		for _, a := range c.Positional {
			name += " " + a.Summary()
		}
		rows = append(rows, [2]string{name, c.Help})
	}
	return rows
}

func flagText(f *kong.Flag) string {
	text := "--" + f.Name
	if !f.IsBool() {
		text += "=" + f.PlaceHolder
	}
	if f.Short != 0 {
		text = fmt.Sprintf("-%c, %s", f.Short, text)
	}
	return text
}

// section prints a title and rows of two columns; nothing without rows.
func (s *session) section(title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(&s.out)
	indent := ""
	if title != "" {
		fmt.Fprintln(&s.out, title)
		indent = "  "
	}
	left := 0
	for _, row := range rows {
		left = min(max(left, widthOf(row[0])), 36)
	}
	gap := indent
	if left > 0 {
		gap = strings.Repeat(" ", left+2) + indent
	}
	for _, row := range rows {
		first := indent
		if left > 0 {
			first += pad(row[0], left) + "  "
		}
		for i, line := range wrap(row[1], helpColumns-widthOf(gap)) {
			if i > 0 {
				first = gap
			} else if widthOf(row[0]) > left {
				fmt.Fprintln(&s.out, indent+row[0])
				first = gap
			}
			fmt.Fprintln(&s.out, strings.TrimRight(first+line, " "))
		}
	}
}
