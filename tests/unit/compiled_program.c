/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/compiled_program.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

int compiled_program_run(const struct compiled_program *program, const char *command)
{
	char line[2048];

	snprintf(line, sizeof(line), "cd %s && { %s; } >log 2>&1", program->folder, command);
	return system(line);
}

void compiled_program_init(struct compiled_program *program, const char *command,
			   const char *source)
{
	const char *file = strncmp(command, "c++", 3) ? "source.c" : "source.cc";
	char path[64], line[512];
	FILE *f;

	strcpy(program->folder, "/tmp/wick-test-XXXXXX");
	assert_non_null(mkdtemp(program->folder));
	snprintf(program->path, sizeof(program->path), "%s/program", program->folder);
	snprintf(path, sizeof(path), "%s/%s", program->folder, file);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(source, f);
	assert_int_equal(fclose(f), 0);
	snprintf(line, sizeof(line), "%s -o program %s", command, file);
	assert_int_equal(compiled_program_run(program, line), 0);
}

struct module *compiled_program_module(const struct compiled_program *program, const char *name)
{
	char path[96];
	struct module_info info = { .id = 1, .path = path };
	struct module *mod;

	snprintf(path, sizeof(path), "%s/%s", program->folder, name);
	mod = module_new(&info, open(path, O_RDONLY | O_CLOEXEC));
	assert_non_null(mod);
	return mod;
}

uint8_t *compiled_program_bytes(const struct compiled_program *program, const char *name,
				size_t *ret_size)
{
	struct module *mod = compiled_program_module(program, name);
	char path[96];
	struct stat st;
	uint8_t *bytes;

	snprintf(path, sizeof(path), "%s/%s", program->folder, name);
	assert_int_equal(stat(path, &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(module_read(mod, 0, bytes, (size_t)st.st_size), 0);
	module_put(mod);
	*ret_size = (size_t)st.st_size;
	return bytes;
}

uint64_t compiled_program_symbol(const struct compiled_program *program, const char *symbol,
				 uint64_t *ret_size)
{
	struct module *mod = compiled_program_module(program, "program");
	struct elf_symbol *symbols = NULL;
	struct elf_file *elf = NULL;
	uint64_t address = 0;
	long count, i;

	assert_int_equal(module_open(mod, &elf), 0);
	count = elf_file_symbols(elf, ".symtab", &symbols);
	for (i = 0; i < count; i++) {
		if (strcmp(symbols[i].name, symbol))
			continue;
		address = symbols[i].address;
		*ret_size = symbols[i].size;
	}
	free(symbols);
	elf_file_close(elf);
	module_put(mod);
	assert_int_not_equal(address, 0);
	return address;
}

void compiled_program_done(struct compiled_program *program)
{
	char line[64];

	snprintf(line, sizeof(line), "rm -rf %s", program->folder);
	assert_int_equal(system(line), 0);
}
