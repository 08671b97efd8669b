# SPDX-License-Identifier: Apache-2.0
"""Parts of the Google Drive emulator; see ../drive_emulator.py."""
