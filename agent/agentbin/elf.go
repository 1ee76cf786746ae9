package agentbin

import (
	"bytes"
	"debug/elf"
	"fmt"
)

const dynamic = "is dynamically linked, so it does not run in every image"

// machines maps GOARCH to the machine and byte order in an executable's header.
var machines = map[string]struct {
	machine elf.Machine
	data    elf.Data
}{
	"386":     {elf.EM_386, elf.ELFDATA2LSB},
	"amd64":   {elf.EM_X86_64, elf.ELFDATA2LSB},
	"arm":     {elf.EM_ARM, elf.ELFDATA2LSB},
	"arm64":   {elf.EM_AARCH64, elf.ELFDATA2LSB},
	"loong64": {elf.EM_LOONGARCH, elf.ELFDATA2LSB},
	"ppc64le": {elf.EM_PPC64, elf.ELFDATA2LSB},
	"riscv64": {elf.EM_RISCV, elf.ELFDATA2LSB},
	"s390x":   {elf.EM_S390, elf.ELFDATA2MSB},
}

// unfit says what keeps data from being an executable for any image of linux/arch, as the end of a sentence; empty when nothing does.
func unfit(data []byte, arch string) string {
	want, known := machines[arch]
	if !known {
		return fmt.Sprintf("is not for the architecture %.40q", arch)
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return "is not a Linux executable"
	}
	switch {
	case f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN: // the latter is a position-independent executable
		return "is not a Linux executable"
	case f.Machine != want.machine || f.Data != want.data:
		return "is for another architecture"
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return dynamic
		}
	}
	return ""
}
