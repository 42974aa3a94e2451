package handover

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// Open opens what Write has sealed, and writes the files into a folder that is not there yet, for its owner alone. It says their names.
func Open(sealed *os.File, folder string, with []age.Identity) (names []string, err error) {
	info, err := sealed.Stat()
	if err != nil {
		return nil, err
	}
	plain, size, err := age.DecryptReaderAt(sealed, info.Size(), with...)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", sealed.Name(), err)
	}
	files, err := zip.NewReader(plain, size)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", sealed.Name(), err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for _, f := range files.File {
		if err := take(root, f); err != nil {
			return names, fmt.Errorf("opening %s: %w", sealed.Name(), err)
		}
		names = append(names, f.Name)
	}
	return names, nil
}

func take(root *os.Root, f *zip.File) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	out, err := root.OpenFile(f.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in) //nolint:gosec // whoever sealed it is trusted with much more
	return errors.Join(err, in.Close(), out.Close())
}
