// The entry point of latchkey-bench.
#include "bench/load/interrupt.hpp"
#include "bench/scenarios/commands.hpp"

#include <exception>
#include <iostream>

int main(int argc, char** argv)
{
    try {
        auto wanted = bench::parse_options(argc, argv);
        if (wanted.command == "help") {
            std::cout << bench::help();
            return 0;
        }
        bench::catch_interrupts();
        return bench::run_command(wanted);
    } catch (const std::exception& why) {
        std::cerr << "latchkey-bench: " << why.what() << "\n";
        return bench::interrupted() ? 130 : 1;
    }
}
