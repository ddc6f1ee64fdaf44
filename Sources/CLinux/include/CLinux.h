// Syscalls and kernel headers that Swift's Glibc module does not show. Nothing here allocates or keeps state.
#pragma once
