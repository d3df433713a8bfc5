# SPDX-License-Identifier: GPL-2.0
"""Which tests run: the rotation of the debug boots, TEST= and SETUP=."""

import os
import re
import unittest
from unittest import mock

import boots
import check
import choice
import igt
import project

ALL = list(boots.BOOTS)
TURNS = range(boots.TURNS)


class Rotation(unittest.TestCase):
    def test_without_a_turn_all_is_whole(self):
        self.assertEqual(boots.chosen(ALL, None), boots.BOOTS)
        self.assertEqual(boots.left_out(None), '')

    def test_three_turns_have_all_boots_whole(self):
        whole = {name for turn in TURNS for name, boot in boots.chosen(ALL, turn).items()
                 if boot is boots.BOOTS[name]}
        self.assertEqual(whole, set(ALL))

    def test_each_turn_has_one_set_up_whole(self):
        for turn in TURNS:
            whole = [name for name in boots.COMPARABLE
                     if boots.in_turn(boots.BOOTS[name], turn) is boots.BOOTS[name]]
            with self.subTest(turn):
                self.assertEqual(len(whole), 1)
                self.assertIn(f'{whole[0]}-races', boots.chosen(ALL, turn))

    def test_all_debug_boots_run_in_each_turn(self):
        for turn in TURNS:
            with self.subTest(turn):
                gone = set(ALL) - set(boots.chosen(ALL, turn))
                self.assertLessEqual(gone, {'kcsan', 'kcsan-kunit'})

    def test_one_turn_builds_the_kernel_of_kcsan(self):
        kernels = [{boot.kernel for boot in boots.chosen(ALL, turn).values()} for turn in TURNS]
        self.assertEqual(sorted(map(len, kernels)), [1, 1, 2])

    def test_short_forms_are_one_round(self):
        for turn in TURNS:
            for name, boot in boots.chosen(ALL, turn).items():
                if boot is not boots.BOOTS[name]:
                    self.assertEqual((boot.rounds, boot.tests), (1, boot.short), name)

    def test_short_forms_name_tests_that_there_are(self):
        tests = [tuple(name.split('@')) for name in choice.igt_tests()]
        short = {name: boot.short for name, boot in boots.BOOTS.items()}
        for name, globs in {**short, **igt.SHORT, 'slow': igt.SLOW}.items():
            for glob in globs.split():
                with self.subTest(f'{name}: {glob}'):
                    self.assertTrue(glob == 'fuzz' or
                                    any(igt.is_any(test, glob) for test in tests))

    def test_whole_boots_begin(self):
        for turn in TURNS:
            whole = [boots.BOOTS[name].turn == turn for name in boots.chosen(ALL, turn)]
            self.assertEqual(whole, sorted(whole, reverse=True))

    def test_what_is_left_out_is_said(self):
        for turn in TURNS:
            said = boots.left_out(turn)
            self.assertTrue(said.startswith(f'turn {turn} of 3 left out: '))
            named = set(re.split('[ ,;]+', said)) & set(ALL)
            self.assertEqual(named, {name for name, boot in boots.BOOTS.items()
                                     if boots.in_turn(boot, turn) is not boot})

    def test_any_number_is_a_turn(self):
        for asked, turn in ('0', 0), ('1234', 1), ('', None):
            with mock.patch.dict(os.environ, TURN=asked):
                self.assertEqual(boots.turn(), turn)
        with mock.patch.dict(os.environ, TURN='next'), self.assertRaises(project.Failed):
            boots.turn()


SOURCE = '''static struct kunit_case first_cases[] = {
	KUNIT_CASE(one),
	KUNIT_CASE_PARAM(two, two_gen_params),
	KUNIT_CASE_SLOW(three),
	{}
};

static struct kunit_suite first_suite = {
	.name = "first",
	.init = init,
	.test_cases = first_cases,
};
'''

DOCUMENTED = '''/**
 * TEST: sgt vm
 * Description: Bind
 *
 * SUBTEST: plain
 * Description: Once
 *
 * SUBTEST: %s-%s
 * Description: %arg[1] with %arg[2]
 *
 * SUBTEST: %s-unload
 * Description: %arg[1] and unload
 *
 * arg[1]:
 *
 * @pci: Unbind
 * @remove: Remove
 *
 * arg[2]:
 *
 * @bound: buffers
 * @cut: a picture
 */

/**
 * SUBTEST: later-%s
 * Description: The arguments are those of another comment
 */
'''

PARTS = (choice.Part('kunit', lambda: ['drm_sgt_pages.pages_of_array']),
         choice.Part('igt', lambda: ['sgt_vm@bind', 'sgt_unbind@virtio-handle'], ('phys', 'mmio')),
         choice.Part('check-model'))


class Choice(unittest.TestCase):
    def targets(self, parts):
        return [part.target for part in parts]

    def test_kunit_cases(self):
        self.assertEqual(list(choice.kunit_cases(SOURCE)), ['first.one', 'first.two',
                                                            'first.three'])

    def test_igt_subtests(self):
        self.assertEqual(list(choice.igt_subtests(DOCUMENTED)),
                         ['plain', 'pci-bound', 'pci-cut', 'remove-bound', 'remove-cut',
                          'pci-unload', 'remove-unload', 'later-%s'])

    def test_the_projects_own_tests_are_found(self):
        self.assertIn('sgt_unbind@virtio-handle', choice.igt_tests())
        suites = {choice.group(name) for name in choice.kunit_tests()}
        self.assertIn('drm_sgt_pages', suites)

    def test_a_test_chooses_its_part(self):
        for wanted, target in (('sgt_vm', 'igt'), ('sgt_*@bind', 'igt'),
                               ('drm_sgt_pages.*', 'kunit'), ('drm_sgt_pages', 'kunit')):
            with self.subTest(wanted):
                self.assertEqual(self.targets(choice.by_test(PARTS, wanted)), [target])

    def test_no_test_is_all_parts(self):
        self.assertEqual(choice.by_test(PARTS, ''), PARTS)

    def test_a_slip_is_answered_with_what_is_near(self):
        for wanted, near in (('sgt_umbind@virtio-handle', 'sgt_unbind@virtio-handle'),
                             ('drm_sgt_page.*', 'drm_sgt_pages')):
            with self.subTest(wanted), self.assertRaises(project.Failed) as caught:
                choice.by_test(PARTS, wanted)
            self.assertIn(f'near: {near}', str(caught.exception))

    def test_a_part_without_tests_takes_no_pattern(self):
        self.assertEqual(self.targets(choice.by_test(PARTS[2:], 'sgt_vm')), ['check-model'])

    def test_a_set_up_chooses_its_parts(self):
        self.assertEqual(self.targets(choice.by_setup(PARTS, ['mmio'])),
                         ['kunit', 'igt', 'check-model'])

    def test_an_unknown_set_up_is_answered_with_those_that_there_are(self):
        with self.assertRaises(project.Failed) as caught:
            choice.by_setup(PARTS, ['phys', 'fys'])
        self.assertIn('SETUP=fys', str(caught.exception))
        self.assertIn('make igt: phys mmio', str(caught.exception))


    def test_a_part_that_did_not_begin_is_repeated_as_it_was_asked_for(self):
        given = {'SETUP': 'phys kcsan', 'TEST': 'sgt_*@bind', 'DRIVER': '', 'KDIR': ''}
        with mock.patch.dict(os.environ, given):
            self.assertEqual(check.again(PARTS[1]), "make igt SETUP=phys TEST='sgt_*@bind'")
            self.assertEqual(check.again(PARTS[0]), "make kunit TEST='sgt_*@bind'")


class Fitting(unittest.TestCase):
    TESTS = [('sgt_vm', 'bind'), ('sgt_flat', 'create'), ('sgt_fail', 'create'),
             ('sgt_import', 'dmabuf'), ('edu_copy', 'bytes'), ('sgt_blob', 'no-copy')]

    def names(self, *arguments):
        return [program for program, _ in igt.fitting(self.TESTS, *arguments)]

    def test_set_ups(self):
        self.assertEqual(self.names('phys'), ['sgt_vm', 'sgt_import'])
        self.assertEqual(self.names('phys', True), ['sgt_vm', 'sgt_fail', 'sgt_import'])
        self.assertEqual(self.names('blob'), ['sgt_vm', 'sgt_import', 'sgt_blob'])
        self.assertEqual(self.names('icount'), ['sgt_flat'])
        self.assertEqual(self.names('bypass'), ['sgt_import'])
        self.assertEqual(self.names('edu'), ['edu_copy'])

    def test_what_is_short_unless_asked_for_more(self):
        tests = [('sgt_vm', 'bind'), ('sgt_create', 'dumb-sizes')]
        both, one = ['sgt_vm', 'sgt_create'], ['sgt_create']
        for setups, wanted, expected in (([], '', one), ([], '*', one), (['mmio'], '', one),
                                         (['mmio'], '*', both)):
            with self.subTest(setups=setups, wanted=wanted):
                planned = igt.plan(tests, setups, wanted)
                self.assertEqual([program for program, _ in planned['mmio']], expected)
        self.assertEqual([program for program, _ in igt.plan(tests, [], '')['phys']], both)

    def test_a_test_that_no_set_up_runs_is_known_without_a_build(self):
        for setups, wanted, possible in ((['edu'], 'sgt_map', False), (['phys'], 'edu_copy', False),
                                         (['phys'], 'sgt_map@nothing', False),
                                         (['phys'], 'sgt_map@fork', True), (['edu'], 'edu*', True),
                                         ([], '', True), ([], 'sgt_v*@*', True)):
            with self.subTest(setups=setups, wanted=wanted):
                self.assertEqual(igt.is_possible(setups, wanted), possible)

    def test_the_quick_lane_leaves_out_what_is_slow_unless_asked(self):
        for setups, wanted, ran, but in (([], '', ['phys'], igt.SLOW),
                                         ([], 'sgt_abuse', ['phys'], ''),
                                         (['iommu'], '', ['iommu'], igt.SLOW)):
            with self.subTest(setups=setups), mock.patch.object(igt, 'run') as run:
                igt.quick(None, setups, wanted, 'sgt')
                run.assert_called_once_with(None, ran, wanted, 'sgt', but)


if __name__ == '__main__':
    unittest.main()
