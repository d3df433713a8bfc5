// SPDX-License-Identifier: GPL-2.0
#include "igt.h"

#include "lib/sgt_virtgpu.h"
#include "lib/sgt_vm_gate.h"

/**
 * TEST: sgt commit
 * Description: Commits that fail or wait after the ioctl has returned
 * Category: Display
 * Mega feature: DRM
 * Sub-category: KMS
 * Functionality: atomic commits, address space
 * Test category: functionality test
 *
 * SUBTEST: told-once
 * Description: The commit after one that failed returns its error, the one after that succeeds
 *
 * SUBTEST: other-master
 * Description: The errors of a master are not returned to the next one
 *
 * SUBTEST: other-master-late
 * Description: The same if a commit fails after the master has changed
 *
 * SUBTEST: master-again
 * Description: A master that comes back does not get its earlier errors
 *
 * SUBTEST: other-display
 * Description: The error of a commit is not returned for another display
 *
 * SUBTEST: nonblock
 * Description: A nonblocking commit returns before its range is mapped, and shows it afterwards
 *
 * SUBTEST: nonblock-others
 * Description: Meanwhile, commits to other displays and test commits go through
 *
 * SUBTEST: nonblock-later
 * Description: It does not wait for later binds, which may depend on it
 *
 * SUBTEST: remap
 * Description: A commit that waits for a remap of its own range shows the new pixels
 *
 * SUBTEST: remap-later
 * Description: A commit without an in-fence does not wait for a pending remap of its range
 *
 * SUBTEST: nonblock-cut
 * Description: It fails if part of its range is unmapped before it runs
 */

IGT_TEST_DESCRIPTION("Commits that fail or wait after the ioctl has returned");

#define VA	(5ull << 30)

static struct sgt_test test;

/* A file with a picture on the screen, and another picture, which is a VA resource */
struct client {
	int drm;
	struct sgt_screen screen;
	struct sgt_bo shown, pages, range;
};

static void client_begin(struct client *client)
{
	client->drm = sgt_must(sgt_open());
	sgt_must(sgt_screen_find(&client->screen, client->drm));
	sgt_make_picture(&client->shown, &client->screen, sgt_new_seed());
	sgt_make_picture(&client->pages, &client->screen, sgt_new_seed());
	sgt_must(sgt_vm_map(&client->pages, VA, client->pages.size, 0));
	sgt_must(sgt_vm_picture(&client->range, client->drm, VA,
				client->screen.mode.hdisplay,
				client->screen.mode.vdisplay));
	sgt_must(sgt_bo_add_fb(&client->range));
	sgt_must(sgt_screen_show(&client->screen, &client->shown, 0));
}

static void client_end(struct client *client)
{
	sgt_bo_free(&client->range);
	sgt_bo_free(&client->pages);
	sgt_bo_free(&client->shown);
	close(client->drm);
}

static int show(const struct client *client)
{
	return sgt_screen_show(&client->screen, &client->shown, 0);
}

/* A commit that waits for the fence, and whose range is unmapped by then */
static int commit_failing(struct client *client, const struct sgt_fence *fence)
{
	int out = sgt_must(sgt_screen_fence(&client->screen, &client->range, fence->file));

	sgt_must(sgt_vm_unmap(client->drm, VA, client->pages.size));
	igt_assert_eq(sgt_sync_file_status(out), 0);
	return out;
}

static void let_fail(const struct sgt_fence *fence, int out)
{
	sgt_must(sgt_fence_signal(fence));
	igt_assert_eq(sgt_sync_file_wait(out), -EFAULT);
	close(out);
}

static void fail_a_commit(struct client *client)
{
	struct sgt_fence fence;

	sgt_must(sgt_fence_begin(&fence));
	let_fail(&fence, commit_failing(client, &fence));
	sgt_fence_end(&fence);
}

static void test_told_once(void)
{
	struct client client;

	client_begin(&client);
	fail_a_commit(&client);
	igt_assert_eq(show(&client), -EFAULT);
	sgt_must(show(&client));
	client_end(&client);
}

/* Without a master, the first file that is opened becomes one. */
static void hand_over(const struct client *from)
{
	igt_assert_eq(drmDropMaster(from->drm), 0);
}

static void test_other_master(void)
{
	struct client first, second;

	client_begin(&first);
	fail_a_commit(&first);
	hand_over(&first);
	client_begin(&second);
	client_end(&second);
	client_end(&first);
}

static void test_other_master_late(void)
{
	struct client first, second;
	struct sgt_fence fence;
	int out, drm;

	client_begin(&first);
	sgt_must(sgt_fence_begin(&fence));
	out = commit_failing(&first, &fence);
	hand_over(&first);
	drm = sgt_must(sgt_open());
	igt_assert(drmIsMaster(drm));
	let_fail(&fence, out);
	sgt_fence_end(&fence);
	close(drm);
	client_begin(&second);
	client_end(&second);
	client_end(&first);
}

static void test_master_again(void)
{
	struct client client;

	client_begin(&client);
	fail_a_commit(&client);
	hand_over(&client);
	igt_assert_eq(drmSetMaster(client.drm), 0);
	sgt_must(show(&client));
	client_end(&client);
}

/* The CRTC of another display, with the mode of the first one */
static bool find_second(struct sgt_screen *second, const struct sgt_screen *first)
{
	drmModeRes *res = drmModeGetResources(first->drm);
	bool found = false;

	igt_assert(res);
	*second = *first;
	for (int i = 0; i < res->count_connectors; i++)
		if (res->connectors[i] != first->connector)
			second->connector = res->connectors[i];
	for (int i = 0; i < res->count_crtcs; i++)
		if (res->crtcs[i] != first->crtc) {
			second->crtc = res->crtcs[i];
			found = true;
		}
	drmModeFreeResources(res);
	return found;
}

static void test_other_display(void)
{
	struct sgt_screen second;
	struct client client;
	bool found;

	client_begin(&client);
	found = find_second(&second, &client.screen);
	if (found) {
		fail_a_commit(&client);
		sgt_must(sgt_screen_show(&second, &client.shown, 0));
		sgt_must(sgt_screen_off(&second));
		igt_assert_eq(show(&client), -EFAULT);
		sgt_must(show(&client));
	}
	client_end(&client);
	igt_require_f(found, "the GPU has one display\n");
}

/* A client whose range is unmapped, and is mapped when the gate opens */
static void waiting_begin(struct client *client, struct gate *gate)
{
	client_begin(client);
	sgt_must(sgt_vm_unmap(client->drm, VA, client->pages.size));
	close_gate(gate, client->drm);
	map_async(&client->pages, VA, gate->sync, 0);
}

static void waiting_end(struct client *client, struct gate *gate)
{
	end_gate(gate, client->drm);
	client_end(client);
}

/* The commit waits for the gate. */
static void expect_waiting(const struct gate *gate, int out)
{
	igt_assert_eq(sgt_sync_file_status(gate->fence.file), 0);
	igt_assert_eq(sgt_sync_file_status(out), 0);
}

/* A nonblocking commit, which must return while the gate is closed */
static int commit_nonblock(const struct client *client, const struct gate *gate,
			   int in_fence)
{
	int out = sgt_must(sgt_screen_fence(&client->screen, &client->range, in_fence));

	expect_waiting(gate, out);
	return out;
}

static void expect_done(int out, int status)
{
	igt_assert_eq(sgt_sync_file_wait(out), status);
	close(out);
}

static void test_nonblock(void)
{
	uint32_t seed = sgt_new_seed();
	struct client client;
	struct gate gate;
	int out;

	waiting_begin(&client, &gate);
	out = commit_nonblock(&client, &gate, -1);
	sgt_fill(client.pages.map, sgt_bo_words(&client.pages), seed);
	open_gate(&gate);
	expect_done(out, 1);
	if (sgt_host_present())
		sgt_expect_screen(&client.screen, seed);
	sgt_must(sgt_transfer(&client.range));
	waiting_end(&client, &gate);
}

static void test_nonblock_others(void)
{
	struct sgt_screen second;
	struct client client;
	struct gate gate;
	int out;

	waiting_begin(&client, &gate);
	out = commit_nonblock(&client, &gate, -1);
	sgt_must(sgt_screen_try(&client.screen, &client.shown));
	if (find_second(&second, &client.screen)) {
		sgt_must(sgt_screen_show(&second, &client.shown, 0));
		sgt_must(sgt_screen_off(&second));
	}
	expect_waiting(&gate, out);
	open_gate(&gate);
	expect_done(out, 1);
	waiting_end(&client, &gate);
}

static void test_nonblock_later(void)
{
	struct client client;
	uint32_t in, later;
	struct gate gate;
	int out;

	waiting_begin(&client, &gate);
	out = commit_nonblock(&client, &gate, -1);
	in = make_sync(client.drm);
	later = make_sync(client.drm);
	igt_assert_eq(drmSyncobjImportSyncFile(client.drm, in, out), 0);
	map_async(&client.pages, 2 * VA, in, later);

	open_gate(&gate);
	expect_done(out, 1);
	igt_assert_eq(wait_for_sync(client.drm, later), 1);
	drmSyncobjDestroy(client.drm, in);
	drmSyncobjDestroy(client.drm, later);
	waiting_end(&client, &gate);
}

static void test_nonblock_cut(void)
{
	struct sgt_fence fence;
	struct client client;
	struct gate gate;
	int out;

	waiting_begin(&client, &gate);
	sgt_must(sgt_fence_begin(&fence));
	out = commit_nonblock(&client, &gate, fence.file);

	/* The range is mapped, and a page of it is unmapped, before the commit runs. */
	open_gate(&gate);
	sgt_must(sgt_vm_unmap(client.drm, VA + PAGE, PAGE));
	let_fail(&fence, out);
	igt_assert_eq(sgt_transfer(&client.range), -EFAULT);
	sgt_fence_end(&fence);
	waiting_end(&client, &gate);
}

/* A client that shows its range, half of which is remapped when the gate opens */
struct remapped {
	struct client client;
	struct sgt_bo other;
	struct gate gate;
	uint32_t done;
};

/* The picture is in the range after the remap, and not before. */
static void fill_range(struct remapped *remapped, uint32_t seed)
{
	struct sgt_bo *pages = &remapped->client.pages, *other = &remapped->other;

	sgt_fill(pages->map, sgt_bo_words(pages), seed);
	sgt_fill(pages->map, sgt_bo_words(pages) / 4, sgt_new_seed());
	sgt_fill(other->map, sgt_bo_words(other), seed);
}

static void remapped_begin(struct remapped *remapped)
{
	struct drm_virtgpu_sgt_vm_bind_op op;
	struct client *client = &remapped->client;

	client_begin(client);
	sgt_must(sgt_screen_show(&client->screen, &client->range, 0));
	sgt_make_picture(&remapped->other, &client->screen, sgt_new_seed());
	close_gate(&remapped->gate, client->drm);
	remapped->done = make_sync(client->drm);
	op = sgt_vm_op_remap(VA, client->pages.size / 2 / PAGE * PAGE, &remapped->other, 0);
	sgt_must(sgt_vm_bind_async(client->drm, &op, 1, remapped->gate.sync, remapped->done));
}

static void remapped_end(struct remapped *remapped)
{
	drmSyncobjDestroy(remapped->client.drm, remapped->done);
	end_gate(&remapped->gate, remapped->client.drm);
	sgt_bo_free(&remapped->other);
	client_end(&remapped->client);
}

static void expect_picture(const struct remapped *remapped, uint32_t seed)
{
	if (sgt_host_present())
		sgt_expect_screen(&remapped->client.screen, seed);
}

static void test_remap(void)
{
	uint32_t seed = sgt_new_seed();
	struct remapped remapped;
	int file, out;

	remapped_begin(&remapped);
	file = export_sync(remapped.client.drm, remapped.done);
	out = commit_nonblock(&remapped.client, &remapped.gate, file);
	fill_range(&remapped, seed);
	open_gate(&remapped.gate);
	expect_done(out, 1);
	expect_picture(&remapped, seed);
	sgt_must(show(&remapped.client));
	close(file);
	remapped_end(&remapped);
}

static void test_remap_later(void)
{
	uint32_t seed = sgt_new_seed();
	struct remapped remapped;

	remapped_begin(&remapped);
	sgt_fill(remapped.client.pages.map, sgt_bo_words(&remapped.client.pages), seed);
	expect_done(sgt_must(sgt_screen_fence(&remapped.client.screen,
					      &remapped.client.range, -1)), 1);
	igt_assert_eq(sync_status(remapped.client.drm, remapped.done), 0);
	expect_picture(&remapped, seed);
	open_gate(&remapped.gate);
	igt_assert_eq(wait_for_sync(remapped.client.drm, remapped.done), 1);
	seed = sgt_new_seed();
	fill_range(&remapped, seed);
	sgt_must(sgt_screen_show(&remapped.client.screen, &remapped.client.range, 0));
	expect_picture(&remapped, seed);
	remapped_end(&remapped);
}

int igt_main()
{
	static const struct {
		const char *name, *what;
		void (*run)(void);
	} tests[] = {
		{ "told-once", "An error is returned once", test_told_once },
		{ "other-master", "Errors stay with the master", test_other_master },
		{ "other-master-late", "Late errors stay with the master", test_other_master_late },
		{ "master-again", "A change of the master drops errors", test_master_again },
		{ "other-display", "Errors stay with the display", test_other_display },
		{ "nonblock", "The ioctl does not wait", test_nonblock },
		{ "nonblock-others", "Other commits do not wait", test_nonblock_others },
		{ "nonblock-later", "Later binds are not waited for", test_nonblock_later },
		{ "remap", "The in-fence is a remap of the range", test_remap },
		{ "remap-later", "Without an in-fence, it does not wait", test_remap_later },
		{ "nonblock-cut", "The range is cut meanwhile", test_nonblock_cut },
	};
	struct sgt_baseline base;
	int keep = -1;

	igt_fixture()
		keep = sgt_vm_fixture(&test);

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		igt_describe(tests[i].what);
		igt_subtest(tests[i].name) {
			sgt_baseline_take(&test, &base);
			tests[i].run();
			sgt_baseline_check(&test, &base);
		}
	}

	igt_fixture()
		close(keep);
}
