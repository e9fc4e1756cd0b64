/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/worker/type_worker.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "profiler/base/intern.h"
#include "profiler/base/plain_text.h"
#include "symbolizer/worker/type_wire.h"
#include "symbolizer/worker/worker.h"

/* Of what is kept of one file. */
#define KEPT_BYTES_MAX ((size_t)64 << 20)

struct typed_file {
	struct type_provider provider;
	struct type_worker *worker;
	struct module *mod;
	int failure;
	uint64_t function;	/* the one asked for last: where names are looked up first */
	struct intern *texts;
	struct hashmap *answers;	/* struct key → struct answer */
};

struct type_worker {
	struct worker *worker;	/* NULL: it was ended */
	struct typed_file **files;
	size_t count, capacity;
};

/* Of what; then by a text's number, or the place in a list. */
struct key {
	uint64_t id;
	uint64_t what;
	uint32_t request;	/* enum worker_request_type */
	uint32_t kind;		/* of the type that it is asked of */
};

struct answer {
	int error;
	union {
		struct type_member member;	/* of a type only that */
		struct type_enumerator enumerator;
	};
};

typedef int read_answer_fn(struct byte_reader *reader, const struct type_provider *provider,
			   struct answer *ret);

/* ---- files ---- */

static const struct type_provider asking_provider;

static struct typed_file *typed_file_free(struct typed_file *file)
{
	if (!file)
		return NULL;
	module_put(file->mod);
	intern_free(file->texts);
	hashmap_free(file->answers);
	free(file);
	return NULL;
}
DEFINE_CLEANUP(struct typed_file *, typed_file_free)

static struct typed_file *typed_file_new(struct type_worker *worker, struct module *mod)
{
	_cleanup_(typed_file_freep) struct typed_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->provider = asking_provider;
	file->provider.context = file;
	file->worker = worker;
	file->mod = module_get(mod);
	file->texts = intern_new();
	file->answers = hashmap_new(sizeof(struct key), sizeof(struct answer));
	return file->texts && file->answers ? take_ptr(file) : NULL;
}

const struct type_provider *typed_file_provider(const struct typed_file *file)
{
	return &file->provider;
}

int typed_file_failure(const struct typed_file *file)
{
	return file->failure;
}

void typed_file_say_failure(const struct typed_file *file, char *text, size_t size)
{
	snprintf(text, size, "the debug information of %s %s", module_info(file->mod)->path,
		 worker_error_text(file->failure));
	plain_text(text);
}

struct type_worker *type_worker_new(uint64_t module_ns)
{
	_cleanup_(type_worker_freep) struct type_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->worker = worker_new(module_ns);
	return w->worker ? take_ptr(w) : NULL;
}

void type_worker_end(struct type_worker *w)
{
	w->worker = worker_free(w->worker);
}

struct type_worker *type_worker_free(struct type_worker *w)
{
	if (!w)
		return NULL;
	worker_free(w->worker);
	for (size_t i = 0; i < w->count; i++)
		typed_file_free(w->files[i]);
	free(w->files);
	free(w);
	return NULL;
}

/* ---- asking ---- */

/* It is not asked again: who has killed one reader will kill the next one. */
static int give_up(struct typed_file *file, int error)
{
	if (error < 0 && error != -ENOMEM)
		file->failure = error;
	return error;
}

static int refuse_answer(struct typed_file *file)
{
	return give_up(file, worker_fail(file->worker->worker, -EBADMSG));
}

/* Returns 0, -ENOENT when nobody can be asked any more, -ENOMEM, or the file's failure. */
static int ask(struct typed_file *file, const struct worker_question *question, uint8_t **ret,
	       struct byte_reader *ret_reader)
{
	struct worker *worker = file->worker->worker;
	size_t size = 0;
	int r;

	if (file->failure || !worker)
		return file->failure ?: -ENOENT;
	r = worker_open(worker, file->mod, false, NULL);
	r = r ?: worker_ask(worker, question, ret, &size);
	*ret_reader = (struct byte_reader){ .bytes = *ret, .size = size };
	return give_up(file, r);
}

int type_worker_open(struct type_worker *w, struct module *mod, struct typed_file **ret)
{
	_cleanup_(typed_file_freep) struct typed_file *file = typed_file_new(w, mod);
	const struct worker_question question = { .type = WORKER_TYPES };
	_cleanup_free_ uint8_t *bytes = NULL;
	struct byte_reader reader;
	int r;

	if (!file || alloc_grow(&w->files, &w->capacity, w->count + 1) < 0)
		return -ENOMEM;
	r = ask(file, &question, &bytes, &reader);
	if (!r) {
		r = (int32_t)byte_reader_fixed(&reader, sizeof(int32_t));
		if (reader.failed || r > 0)
			r = refuse_answer(file);
	}
	if (r < 0 && !file->failure)
		return r;
	*ret = w->files[w->count++] = take_ptr(file);
	return 0;
}

/* ---- what is kept ---- */

/* Our copy of *@text, which may be NULL. */
static int keep_text(struct typed_file *file, const char **text)
{
	uint32_t number;
	int r;

	if (!*text)
		return 0;
	if (intern_bytes(file->texts) + hashmap_bytes(file->answers) > KEPT_BYTES_MAX)
		return give_up(file, -ENOBUFS);
	r = intern_add_text(file->texts, *text, &number);
	if (r < 0)
		return r;
	*text = intern_text(file->texts, number);
	return 0;
}

static int keep_argument(struct typed_file *file, struct type_argument *argument)
{
	int r = keep_text(file, &argument->name);

	r = r ?: keep_text(file, &argument->refusal);
	return r ?: keep_text(file, &argument->type.name);
}

static int keep_answer(struct typed_file *file, const struct key *key, struct answer *answer)
{
	void *place;
	int r = 0;

	if (!answer->error && key->request == WORKER_ENUMERATORS) {
		r = keep_text(file, &answer->enumerator.name);
	} else if (!answer->error) {
		r = keep_text(file, &answer->member.name);
		r = r ?: keep_text(file, &answer->member.type.name);
	}
	if (r < 0)
		return r;
	r = hashmap_add(file->answers, key, &place);
	if (r < 0)
		return r;
	*(struct answer *)place = *answer;
	return 0;
}

/* ---- questions about types ---- */

static int read_target(struct byte_reader *reader, const struct type_provider *provider,
		       struct answer *ret)
{
	return type_wire_read_type(reader, provider, &ret->member.type);
}

static int read_member(struct byte_reader *reader, const struct type_provider *provider,
		       struct answer *ret)
{
	return type_wire_read_member(reader, provider, &ret->member);
}

static int read_enumerator(struct byte_reader *reader, const struct type_provider *provider,
			   struct answer *ret)
{
	return type_wire_read_enumerator(reader, &ret->enumerator);
}

/* How the answers to each request are read, and whether they are a list: all of it is kept then. */
static const struct request {
	read_answer_fn *read;
	bool is_list;
} requests[] = {
	[WORKER_TARGET] = { read_target },
	[WORKER_MEMBER] = { read_member },
	[WORKER_MEMBERS] = { read_member, true },
	[WORKER_ENUMERATORS] = { read_enumerator, true },
	[WORKER_NAMED] = { read_target },
};

/* Of what is asked by @key, all or the whole list. @text: "" or what its number stands for. */
static int fetch(struct typed_file *file, struct key key, bool is_enum, const char *text)
{
	const struct request *request = &requests[key.request];
	const struct type_wire_question about = { .id = key.id, .kind = key.kind,
						  .is_enum = is_enum };
	const struct worker_question question = { .type = key.request,
						  .parts = { &about, text },
						  .sizes = { sizeof(about), strlen(text) } };
	_cleanup_free_ uint8_t *bytes = NULL;
	struct byte_reader reader;
	struct answer answer;
	int r;

	/* No name is that long. */
	if (question.sizes[0] + question.sizes[1] > WORKER_REQUEST_BYTES_MAX)
		return -ENOENT;
	r = ask(file, &question, &bytes, &reader);
	do {
		answer = (struct answer){ 0 };
		if (!r)
			answer.error = request->read(&reader, &file->provider, &answer);
		if (!r && reader.failed)
			r = refuse_answer(file);
		r = r ?: keep_answer(file, &key, &answer);
		key.what++;
	} while (!r && request->is_list && !answer.error);
	return r;
}

/* Returns 0 with the answer, or why there is none. */
static int find(const struct type_info *type, struct key key, const char *text, struct answer *ret)
{
	struct typed_file *file = (struct typed_file *)type->provider->context;
	const struct answer *known = hashmap_find(file->answers, &key);
	struct key first = key;
	int r;

	if (requests[key.request].is_list)
		first.what = 0;
	/* A list is known whole; behind its end there is nothing. */
	if (!known && !hashmap_find(file->answers, &first)) {
		r = fetch(file, first, type->is_enum, text);
		if (r < 0)
			return r;
		known = hashmap_find(file->answers, &key);
	}
	if (!known || known->error)
		return known ? known->error : -ENOENT;
	*ret = *known;
	return 0;
}

static int target(const struct type_info *type, struct type_info *ret)
{
	const struct key key = { .request = WORKER_TARGET, .id = type->id, .kind = type->kind };
	struct answer answer;
	int r;

	if (type->kind != TYPE_POINTER && type->kind != TYPE_ARRAY)
		return -ENOENT;
	r = find(type, key, "", &answer);
	if (!r)
		*ret = answer.member.type;
	return r;
}

/* The number by which a text is in keys. */
static int text_number(struct typed_file *file, const char *text, uint64_t *ret)
{
	uint32_t number;
	int r;

	/* Nobody is asked then, and several may read what is known. */
	if (!file->worker->worker)
		return -ENOENT;
	r = intern_add_text(file->texts, text, &number);
	if (!r)
		*ret = number;
	return r;
}

static int member(const struct type_info *type, const char *name, struct type_member *ret)
{
	struct key key = { .request = WORKER_MEMBER, .id = type->id, .kind = type->kind };
	struct answer answer;
	int r;

	if (type->kind != TYPE_STRUCT)
		return -ENOENT;
	r = text_number((struct typed_file *)type->provider->context, name, &key.what);
	r = r ?: find(type, key, name, &answer);
	if (!r)
		*ret = answer.member;
	return r;
}

static int member_at(const struct type_info *type, size_t index, struct type_member *ret)
{
	const struct key key = { .request = WORKER_MEMBERS, .id = type->id, .what = index,
				 .kind = type->kind };
	struct answer answer;
	int r;

	if (type->kind != TYPE_STRUCT)
		return -ENOENT;
	r = find(type, key, "", &answer);
	if (!r)
		*ret = answer.member;
	return r;
}

static int enumerator(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	const struct key key = { .request = WORKER_ENUMERATORS, .id = type->id, .what = index,
				 .kind = type->kind };
	struct answer answer;
	int r;

	if (!type->is_enum)
		return -ENOENT;
	r = find(type, key, "", &answer);
	if (!r)
		*ret = answer.enumerator;
	return r;
}

static int by_name(const void *context, const char *name, struct type_info *ret)
{
	struct typed_file *file = (struct typed_file *)context;
	const struct type_info nothing = { .provider = &file->provider };
	/* What a name means depends on where it is looked up. */
	struct key key = { .request = WORKER_NAMED, .id = file->function };
	struct answer answer;
	int r;

	r = text_number(file, name, &key.what);
	r = r ?: find(&nothing, key, name, &answer);
	if (!r)
		*ret = answer.member.type;
	return r;
}

static const struct type_provider asking_provider = {
	.target = target,
	.member = member,
	.member_at = member_at,
	.by_name = by_name,
	.enumerator = enumerator,
};

/* ---- functions ---- */

static int functions_take(struct typed_file *file, struct byte_reader *reader, size_t first,
			  size_t count,
			  int (*found)(void *context, size_t index,
				       const struct type_function *function),
			  void *context)
{
	struct type_function function;
	int r = 0;

	for (size_t i = first; i < first + count && r >= 0; i++) {
		int error = type_wire_read_function(reader, &file->provider, &function);

		if (reader->failed)
			return refuse_answer(file);
		r = found(context, i, error ? NULL : &function);
	}
	return r < 0 ? r : 0;
}

int typed_file_functions(struct typed_file *file, const uint64_t *addresses, size_t count,
			 int (*found)(void *context, size_t index,
				      const struct type_function *function),
			 void *context)
{
	int r = 0;

	for (size_t done = 0, part; done < count && !r; done += part) {
		struct worker_question question = { .type = WORKER_FUNCTIONS,
						    .parts = { addresses + done } };
		_cleanup_free_ uint8_t *bytes = NULL;
		struct byte_reader reader;

		part = count - done < WORKER_ADDRESSES_MAX ? count - done : WORKER_ADDRESSES_MAX;
		question.sizes[0] = part * sizeof(*addresses);
		r = ask(file, &question, &bytes, &reader);
		r = r ?: functions_take(file, &reader, done, part, found, context);
	}
	return r;
}

int typed_file_function(struct typed_file *file, uint64_t address, struct type_function *ret)
{
	const struct worker_question question = { .type = WORKER_FUNCTIONS, .parts = { &address },
						  .sizes = { sizeof(address) } };
	_cleanup_free_ uint8_t *bytes = NULL;
	struct type_function function = { 0 };
	struct byte_reader reader;
	int r = ask(file, &question, &bytes, &reader);

	if (r < 0)
		return r;
	file->function = address;
	r = type_wire_read_function(&reader, &file->provider, &function);
	if (reader.failed)
		return refuse_answer(file);
	r = r ?: keep_argument(file, &function.result);
	for (size_t i = 0; i < function.argument_count && !r; i++)
		r = keep_argument(file, &function.arguments[i]);
	if (!r)
		*ret = function;
	return r;
}
