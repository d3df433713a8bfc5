// SPDX-License-Identifier: GPL-2.0

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/virtio_gpu.h>

#include <kunit/test.h>

#include "../virtgpu_sgt_cmd.h"
#include "../virtgpu_sgt_device.h"
#include "../virtgpu_sgt_frame.h"
#include "../virtgpu_sgt_output.h"
#include "../virtgpu_sgt_queue.h"

/*
 * When a frame can be filled again. The queue has no host: it answers each command with
 * -ENODEV, in the task that submits it.
 */

struct frame_fixture {
	struct kunit *test;
	struct virtgpu_sgt_device vgdev;
	struct virtgpu_sgt_output output;
	struct virtgpu_sgt_frame frame;

	/* The callback of the frame's last command */
	void (*done)(struct virtgpu_sgt_cmd *cmd, int status);

	/* The task that waits for the frame, and what the wait returned */
	struct task_struct *waiter;
	struct completion ended;
	int ret;
};

static void frame_fixture_fini(void *data)
{
	struct frame_fixture *f = data;

	virtgpu_sgt_frame_fini(&f->frame);
}

static struct frame_fixture *frame_fixture(struct kunit *test)
{
	struct frame_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	init_completion(&f->ended);
	f->output.vgdev = &f->vgdev;
	virtgpu_sgt_queue_init(&f->vgdev, &f->vgdev.ctrlq);
	ret = virtgpu_sgt_frame_init(&f->frame, &f->output);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, frame_fixture_fini, f), 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	return f;
}

static void frame_send(struct frame_fixture *f)
{
	virtgpu_sgt_prep_set_scanout(f->frame.scanout, 0, NULL, NULL);
	virtgpu_sgt_frame_add(&f->frame, f->frame.scanout);
	virtgpu_sgt_frame_submit(&f->frame, true, 0);
}

static int frame_waiter(void *data)
{
	struct frame_fixture *f = data;

	f->ret = virtgpu_sgt_frame_reclaim(&f->frame, false);
	complete(&f->ended);
	return 0;
}

/* The frame is not busy any more, and the queue has still to wake the waiters of @cmd. */
static void frame_done_before_wake(struct virtgpu_sgt_cmd *cmd, int status)
{
	struct frame_fixture *f = container_of(cmd->priv, struct frame_fixture, frame);

	f->done(cmd, status);

	f->waiter = kthread_run(frame_waiter, f, "sgt-frame");
	if (IS_ERR(f->waiter)) {
		complete(&f->ended);
		return;
	}
	get_task_struct(f->waiter);
	while (!completion_done(&f->ended) &&
	       READ_ONCE(f->waiter->__state) != TASK_UNINTERRUPTIBLE)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_FALSE_MSG(f->test, completion_done(&f->ended),
			       "the frame can be sent, and the queue would wake that wait");
	put_task_struct(f->waiter);
}

static void virtgpu_sgt_frame_reuse_test(struct kunit *test)
{
	struct frame_fixture *f = frame_fixture(test);

	f->done = f->frame.scanout->done;
	f->frame.scanout->done = frame_done_before_wake;
	frame_send(f);
	wait_for_completion(&f->ended);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->waiter);
	KUNIT_EXPECT_EQ(test, f->ret, 0);
	KUNIT_EXPECT_EQ(test, f->frame.count, 0);
}

/* A frame that has failed can be sent again, and does not keep its error. */
static void virtgpu_sgt_frame_error_test(struct kunit *test)
{
	struct frame_fixture *f = frame_fixture(test);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		frame_send(f);
		KUNIT_EXPECT_EQ(test, virtgpu_sgt_frame_wait(&f->frame), -ENODEV);
		KUNIT_EXPECT_EQ(test, f->frame.error, -ENODEV);
		KUNIT_EXPECT_FALSE(test, f->frame.busy);
		KUNIT_EXPECT_EQ(test, virtgpu_sgt_frame_reclaim(&f->frame, false), 0);
	}
}

static struct kunit_case virtgpu_sgt_frame_cases[] = {
	KUNIT_CASE(virtgpu_sgt_frame_reuse_test),
	KUNIT_CASE(virtgpu_sgt_frame_error_test),
	{}
};

static struct kunit_suite virtgpu_sgt_frame_suite = {
	.name = "virtgpu_sgt_frame",
	.test_cases = virtgpu_sgt_frame_cases,
};

kunit_test_suite(virtgpu_sgt_frame_suite);
