#include "bench/load/interrupt.hpp"

#include <csignal>

namespace bench {

namespace {

volatile std::sig_atomic_t seen = 0;

void note(int signal)
{
    seen = 1;
    std::signal(signal, SIG_DFL);
}

} // namespace

void catch_interrupts()
{
    std::signal(SIGINT, note);
    std::signal(SIGTERM, note);
}

bool interrupted()
{
    return seen != 0;
}

} // namespace bench
