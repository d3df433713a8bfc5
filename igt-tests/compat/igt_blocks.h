/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block keywords of an IGT test, in the form with parentheses that IGT's
 * own tree uses now: igt_main(), igt_fixture(), igt_subtest_group().
 *
 * A block is a for loop of at most one round.  The library decides whether the
 * round runs; an assertion that fails inside it jumps back into the condition,
 * which is then false.
 */
#ifndef SGT_IGT_BLOCKS_H
#define SGT_IGT_BLOCKS_H

#undef igt_main
#undef igt_fixture
#undef igt_subtest_group

#define SGT_CAT_(a, b)	a ## b
#define SGT_CAT(a, b)	SGT_CAT_(a, b)
#define SGT_UNIQUE(a)	SGT_CAT(sgt_ ## a ## _, __LINE__)

/* Used as "int igt_main()" followed by the body of the test. */
#define igt_main()							\
	main(int argc, char **argv)					\
	{								\
		extern void sgt_test_body(void);			\
									\
		igt_subtest_init_parse_opts(&argc, argv, NULL, NULL,	\
					    NULL, NULL, NULL);		\
		sgt_test_body();					\
		igt_exit();						\
	}								\
	void sgt_test_body(void)

#define igt_fixture()							\
	for (volatile bool SGT_UNIQUE(once) = true;			\
	     SGT_UNIQUE(once) && __igt_fixture() &&			\
	     !sigsetjmp(igt_subtest_jmpbuf, 1);				\
	     SGT_UNIQUE(once) = false, __igt_fixture_complete())

#define igt_subtest_group()						\
	for (struct { int skip, desc; bool once; } SGT_UNIQUE(group) = { .once = true }; \
	     SGT_UNIQUE(group).once &&					\
	     (__igt_subtest_group_save(&SGT_UNIQUE(group).skip,		\
				       &SGT_UNIQUE(group).desc), true);	\
	     SGT_UNIQUE(group).once = false,				\
	     __igt_subtest_group_restore(SGT_UNIQUE(group).skip,	\
					 SGT_UNIQUE(group).desc))

#endif
